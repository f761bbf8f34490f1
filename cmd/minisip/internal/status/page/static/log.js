// The end of the log, as it grows.

import { get, query } from './api.js';
import { empty, h, put, searchBox } from './dom.js';

const most = 1000; // lines on the page; the file has all

export function logView(app, _, params) {
  let q = params.get('q') ?? '', asked = 0, follow = true;
  const lines = h('div', { class: 'lines', role: 'log', tabindex: '0', 'aria-label': 'Log' });
  const nothing = h('div');
  const down = h('button', { type: 'button', class: 'follow', hidden: true, onclick: () => { follow = true; toEnd(); } }, 'Follow \u2193');
  const el = h('section', { class: 'view' },
    h('div', { class: 'bar' }, h('h1', {}, 'Log'), searchBox('Only lines with', q, (text) => {
      q = text;
      app.replace(query('#/log', { q }));
      refresh().catch(app.failed);
    })),
    h('div', { class: 'card log' }, lines, nothing, down));

  // Who has scrolled up to read is not pulled down by the next line.
  lines.addEventListener('scroll', () => {
    follow = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 8;
    down.hidden = follow;
  });
  const toEnd = () => { lines.scrollTop = lines.scrollHeight; };

  const line = (text) => {
    const m = text.match(/^(\[[^\]]*\]) (.*)$/s);
    return h('div', {}, m ? [h('span', { class: 'when' }, m[1]), ' ', m[2]] : text);
  };

  async function refresh() {
    const n = ++asked;
    const got = await get(query('/api/log', { q, limit: 500 }));
    if (n !== asked) return;
    put(lines, (got.lines ?? []).map(line));
    state();
    if (follow) toEnd();
  }

  function state() {
    const none = !lines.childElementCount;
    put(nothing, none ? (q ? empty(`No line has \u201c${q}\u201d in it.`) : empty('The log is empty.')) : '');
    lines.hidden = none;
  }

  function more(e) {
    const want = q.toLowerCase();
    const fresh = (e.lines ?? []).filter((t) => t.toLowerCase().includes(want));
    if (!fresh.length) return;
    lines.append(...fresh.slice(-most).map(line));
    while (lines.childElementCount > most) lines.firstElementChild.remove();
    state();
    if (follow) toEnd();
  }
  return { title: 'Log', el, refresh, events: { log: more } };
}
