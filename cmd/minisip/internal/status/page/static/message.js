// One message, as it came and as it went, with what changed between the two.

import { get } from './api.js';
import { clock, count, h, put } from './dom.js';

const small = matchMedia('(max-width: 900px)');

// messagePanel shows messages: beside the page, or over it where that is narrow. closed is
// called when the reader puts it away.
export function messagePanel(app, closed) {
  const title = h('h2', { id: 'message-title', tabindex: '-1', autofocus: true });
  const facts = h('p', { class: 'facts' });
  const tabs = h('div', { class: 'segments', role: 'group', 'aria-label': 'Which text' });
  const text = h('div', { class: 'text', tabindex: '0', role: 'region', 'aria-label': 'Text of the message' });
  const copy = h('button', { type: 'button', class: 'quiet', onclick: copies }, 'Copy');
  const el = h('dialog', { class: 'message', 'aria-labelledby': 'message-title' },
    h('header', {}, title, h('button', { type: 'button', class: 'quiet close', 'aria-label': 'Close', onclick: away }, '\u00d7')),
    facts, h('div', { class: 'tools' }, tabs, copy), text);
  const leave = (e) => {
    if (e.type === 'keydown' && e.key !== 'Escape') return;
    e.preventDefault();
    away();
  };
  el.addEventListener('keydown', leave);
  el.addEventListener('cancel', leave); // the gesture that goes back, on a phone
  const turned = () => {
    if (!el.open) return;
    el.close();
    open();
  };
  small.addEventListener('change', turned);
  let shown = '', copied = '';

  function away() {
    hide();
    closed();
  }

  function hide() {
    shown = '';
    if (el.open) el.close();
  }

  async function show(id, label) {
    if (shown === id) return;
    shown = id;
    let m;
    try {
      m = await get(`/api/messages/${encodeURIComponent(id)}`);
    } catch (e) {
      if (shown !== id) return;
      app.say(e.status === 404 ? 'The text of this message is no longer kept.' : e.message, true);
      away();
      return;
    }
    if (shown !== id) return;
    put(title, label || m.text.split('\r\n', 1)[0].split('\n', 1)[0]);
    put(facts, `${clock(m.time, true)} \u00b7 ${m.received ? 'from' : 'to'} `, h('span', { class: 'mono' }, m.received ? m.from : m.to),
      ` \u00b7 ${count(new Blob([m.text]).size)} bytes`);
    choices(m);
    if (!el.open) open();
  }

  function open() {
    if (small.matches) el.showModal();
    else el.show();
  }

  // choices are the ways to look at a message; one that was made here, or not yet sent on, has one.
  function choices(m) {
    const ways = [];
    if (m.before !== null && m.before !== undefined) {
      const changed = (m.changes ?? []).some((c) => c.op !== ' ');
      ways.push(['Changes', () => (changed ? changes(m.changes) : h('p', { class: 'same' }, 'It went on byte for byte.')), m.text]);
      ways.push(['As it came', () => plain(m.before), m.before]);
      ways.push(['As it went', () => plain(m.text), m.text]);
    } else {
      ways.push([m.received ? 'As it came' : 'As it went', () => plain(m.text), m.text]);
    }
    const choose = (i) => {
      [...tabs.children].forEach((b, k) => b.setAttribute('aria-pressed', k === i));
      put(text, ways[i][1]());
      text.scrollTop = 0;
      copied = ways[i][2];
    };
    put(tabs, ways.map(([name], i) => h('button', { type: 'button', onclick: () => choose(i) }, name)));
    choose(0);
  }

  async function copies() {
    try {
      await navigator.clipboard.writeText(copied);
      put(copy, 'Copied');
      setTimeout(() => put(copy, 'Copy'), 2000);
    } catch {
      app.say('The browser does not let this page copy: it is not served over HTTPS or from this machine.', true);
    }
  }

  return { el, show, hide, close: () => small.removeEventListener('change', turned) };
}

const lines = (t) => t.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');

function plain(t) {
  let body = false;
  return lines(t).map((line, i) => {
    if (line === '') body = true;
    return h('div', { class: 'line' }, i === 0 ? h('b', {}, line) : body ? line || '\u200b' : named(line));
  });
}

// named sets a header's name apart from its value.
function named(line) {
  const at = line.indexOf(':');
  return at > 0 ? [h('span', { class: 'name' }, line.slice(0, at + 1)), line.slice(at + 1)] : line;
}

// changes marks the lines that went and came; where one came for another, also the part that differs.
function changes(list) {
  const out = [];
  for (let i = 0; i < list.length;) {
    let gone = i;
    while (gone < list.length && list[gone].op === '-') gone++;
    let come = gone;
    while (come < list.length && list[come].op === '+') come++;
    if (come === i) {
      out.push(h('div', { class: 'line same' }, h('i', {}, ' '), list[i].line || '\u200b'));
      i++;
      continue;
    }
    const pairs = matched(list.slice(i, gone), list.slice(gone, come));
    for (const [before, after] of pairs) {
      const [p, q] = before && after ? apart(before.line, after.line) : [0, 0];
      if (before) out.push(changed('del', '\u2212', before.line, p, q, after));
      if (after) out.push(changed('ins', '+', after.line, p, q, before));
    }
    i = come;
  }
  return out;
}

// matched pairs lines that went with lines that came in their place: of those of the same
// header, or SDP letter, the one that is most like it.
function matched(gone, come) {
  const kind = (l) => l.line.match(/^([A-Za-z-]+\s*:|[a-z]=[a-z-]*)/)?.[0] ?? l.line.slice(0, 6);
  const pairs = [];
  const rest = [...come];
  for (const g of gone) {
    const like = rest.map((c) => (kind(c) === kind(g) ? alike(g.line, c.line) : -1));
    const k = like.length ? like.indexOf(Math.max(...like)) : -1;
    // What stands before the one that fits has come newly, in this place.
    if (k >= 0 && like[k] >= 0) {
      for (const c of rest.splice(0, k)) pairs.push([null, c]);
      pairs.push([g, rest.shift()]);
    } else {
      pairs.push([g, null]);
    }
  }
  for (const c of rest) pairs.push([null, c]);
  return pairs;
}

const alike = (a, b) => apart(a, b).reduce((p, q) => p + q);

// apart gives how many characters two lines have in common in front and at the end.
function apart(a, b) {
  let p = 0, q = 0;
  const n = Math.min(a.length, b.length);
  while (p < n && a[p] === b[p]) p++;
  while (q < n - p && a[a.length - 1 - q] === b[b.length - 1 - q]) q++;
  // Whole words and addresses are easier to compare than the digits that happen to differ.
  const word = (s, i) => /[\w.[\]-]/.test(s[i] ?? '');
  while (p > 0 && word(a, p - 1) && (word(a, p) || word(b, p))) p--;
  while (q > 0 && word(a, a.length - q) && (word(a, a.length - q - 1) || word(b, b.length - q - 1))) q--;
  return [p, q];
}

function changed(tag, sign, line, p, q, other) {
  const end = line.length - q;
  return h(tag, { class: 'line' }, h('i', {}, sign),
    other ? [line.slice(0, p), end > p ? h('mark', {}, line.slice(p, end)) : null, line.slice(end)] : line || '\u200b');
}
