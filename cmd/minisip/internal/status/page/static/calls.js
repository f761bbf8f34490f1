// The calls: live and ended, newest first.

import { get, query } from './api.js';
import { clock, empty, h, length, put, searchBox } from './dom.js';
import { cell, pager, pageSize, row, table } from './table.js';
import { quality } from './chart.js';

const states = [['live', 'Live'], ['ended', 'Ended'], ['all', 'All']];

export function callsView(app, _, params) {
  let state = params.get('state') ?? 'live';
  let q = params.get('q') ?? '';
  let calls = [], asked = 0, total = null;

  const go = () => {
    app.replace(query('#/calls', { state: state === 'live' ? '' : state, q, offset: pages.offset || '' }));
    refresh().catch(app.failed);
  };
  const tabs = states.map(([name, text]) => h('button', {
    type: 'button', onclick: () => { state = name; pages.offset = 0; go(); },
  }, text));
  const list = table('Calls', [['Call', 'who'], ['State', 'state'], ['Began', 'began'], ['Caller\u2019s sound', 'q1'], ['Callee\u2019s sound', 'q2']], callRow, (c) => c.id);
  const pages = pager(Number(params.get('offset')) || 0, go);
  const nothing = h('div');
  const el = h('section', { class: 'view' },
    h('div', { class: 'bar' },
      h('h1', {}, 'Calls'),
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Which calls' }, tabs),
      searchBox('User, address or number', q, (text) => { q = text; pages.offset = 0; go(); })),
    h('div', { class: 'card calls' }, list.el, nothing), pages.el);

  async function refresh() {
    const n = ++asked;
    tabs.forEach((b, i) => b.setAttribute('aria-pressed', states[i][0] === state));
    const got = await get(query('/api/calls', { state, q, offset: pages.offset, limit: pageSize }));
    if (n !== asked) return; // something else was asked for meanwhile
    calls = got.calls ?? [];
    total = got.matched;
    draw();
  }

  function draw() {
    if (!pages.show(calls.length, total)) return;
    list.show(calls);
    list.el.hidden = !calls.length;
    put(nothing, calls.length ? '' : noCalls(app, state, q));
    tick();
  }

  // changed puts calls that the server tells of in their places. What comes and goes changes
  // the places of others too: then the page is asked for again, but not more than once a second.
  let waiting = 0;
  function changed({ changed: list = [], more: moved = false }) {
    for (const c of list) {
      const i = calls.findIndex((k) => k.id === c.id);
      const fits = state === 'all' || (state === 'ended') === (c.state === 'ended');
      if (i >= 0 && fits) calls[i] = c;
      else moved ||= i >= 0 || fits;
    }
    draw();
    if (moved && !waiting) {
      waiting = setTimeout(() => { waiting = 0; refresh().catch(() => {}); }, calls.length ? 1000 : 0);
    }
  }

  function tick() {
    for (const t of el.querySelectorAll('[data-since]')) put(t, length((app.now() - t.dataset.since) / 1000));
  }
  const ages = () => state !== 'ended' && calls.length > 0; // the figures of media change all the time
  return { title: 'Calls', el, refresh, tick, ages, events: { calls: (e) => total !== null && changed(e) }, close: () => clearTimeout(waiting) };
}

// noCalls says what to do for a first call.
function noCalls(app, state, q) {
  if (q) return empty(`No call matches \u201c${q}\u201d.`, h('p', {}, 'A part of a user\u2019s name or of an address finds a call, or its number in the log.'));
  if (state === 'ended') return empty('No call has ended yet.');
  if (app.overview && !app.overview.users) {
    return empty('Nobody is registered yet.', h('p', {}, 'Two phones are needed for a call. ', h('a', { href: '#/users' }, 'How to register one')));
  }
  return empty('No call is up.', h('p', {}, 'Call one phone from the other: the call shows here as soon as it rings. ',
    h('a', { href: '#/calls?state=ended' }, 'Ended calls')));
}

// badge is a call's state in a word, with its colour.
export function badge(c) {
  const bad = worst(c) === 'error' || c.state === 'ended' && !c.answer;
  const held = (c.held ?? []).some(Boolean);
  const word = c.state === 'ended' ? (c.answer ? 'ended' : 'failed') : held ? 'on hold' : c.state;
  return h('span', { class: `badge ${c.state}${bad ? ' error' : ''}` }, word);
}

// numbered is what the log calls a call. One that was refused at the door has no number there.
export const numbered = (c) => (/^\d/.test(c.id) ? `call ${c.id}` : 'refused');

// worst is the severity of the worst that was found in a call.
const worst = (c) => ['error', 'warning', 'info'].find((s) => (c.findings ?? []).some((f) => f.severity === s)) ?? '';

function callRow(c) {
  const trouble = (c.findings ?? []).find((f) => f.severity !== 'info');
  const running = c.state !== 'ended' && c.answer;
  return row({ class: 'link' },
    cell('who', h('a', { href: `#/calls/${c.id}` }, h('b', {}, c.from), h('span', { class: 'to', 'aria-label': ' to ' }, '\u2192'), h('b', {}, c.to)),
      trouble ? h('p', { class: `trouble ${trouble.severity}` }, trouble.text)
        : h('p', { class: 'addr' }, c.from_addr, c.to_addr ? [h('span', { class: 'to' }, '\u2192'), c.to_addr] : null)),
    cell('state', badge(c), h('span', { class: 'num', 'data-since': running ? Date.parse(c.answer) : null },
      running ? '' : c.answer ? length(c.seconds) : '')),
    cell('began num', clock(c.begin), h('span', { class: 'id' }, ` ${numbered(c)}`)),
    both(c).map((m, i) => cell(`q${i + 1}`, m ? quality(m) : c.answer && i === 0 ? h('span', { class: 'muted' }, 'not relayed') : null)));
}

// both gives the caller's and the callee's direction of the first stream of sound; else of the first.
function both(c) {
  const all = c.media ?? [];
  const first = (all.find((m) => m.kind === 'audio') ?? all[0])?.stream;
  const [a, b] = all.filter((m) => m.stream === first);
  return [a, b];
}
