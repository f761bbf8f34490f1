// The ladder of a call: phones and minisip as columns, each message an arrow, media as a band.

import { h, length, put, s } from './dom.js';

const rowHeight = 36, pauseHeight = 26, top = 14;
const longPause = 1000; // ms: from here on the pause is drawn

// ladder makes one. link gives the address of a message.
export function ladder(link) {
  const head = h('div', { class: 'ladder-head', 'aria-hidden': 'true' });
  const svg = s('svg', { role: 'group', 'aria-label': 'Messages of the call, in order' });
  const el = h('div', { class: 'ladder' }, head, svg);
  let call = null, width = 0, selected = '', shown = '';

  const watch = new ResizeObserver(() => {
    if (call && el.clientWidth !== width) draw();
  });
  watch.observe(el);

  function draw() {
    width = el.clientWidth;
    if (!width) return;
    const focused = document.activeElement?.getAttribute?.('href');
    const geo = geometry(call.columns, width);
    heads(head, call.columns, geo);
    const rows = place(call.steps);
    const height = rows.end + 16;
    svg.setAttribute('width', geo.width);
    svg.setAttribute('height', height);
    svg.setAttribute('viewBox', `0 0 ${geo.width} ${height}`);
    svg.replaceChildren(
      s('g', { class: 'bands' }, bands(call, rows, geo)),
      s('g', { class: 'lines' }, geo.x.map((x) => s('line', { x1: x, x2: x, y1: 0, y2: height }))),
      ...rows.pauses.map((p) => pause(p, geo)),
      ...call.steps.map((step, i) => draws(step, rows.y[i], geo, call, link)));
    mark();
    if (focused && svg.contains(document.activeElement) === false) {
      svg.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
  }

  function mark() {
    for (const a of svg.querySelectorAll('a')) {
      const is = a.getAttribute('href') === selected;
      a.classList.toggle('selected', is);
      if (is) a.setAttribute('aria-current', 'true');
      else a.removeAttribute('aria-current');
    }
  }

  return {
    el,
    show(c) {
      // A long call has as many steps as before although others came: those in the middle go, and
      // texts that are no longer kept are no links any more.
      const now = JSON.stringify([c.state, c.columns, c.steps]);
      call = c;
      if (now === shown && svg.childElementCount) return;
      shown = now;
      draw();
    },
    select(href) {
      selected = href;
      mark();
    },
    // focus goes back to the arrow that was selected.
    focus: () => svg.querySelector('a.selected')?.focus({ preventScroll: true }),
    close: () => watch.disconnect(),
  };
}

// geometry says where the columns stand: the time is left of them.
function geometry(columns, width) {
  const narrow = width < 560;
  const gutter = narrow ? 54 : 84, edge = narrow ? 14 : 96;
  const hop = Math.min(Math.max(narrow ? 128 : 180, (width - gutter - 2 * edge) / Math.max(1, columns.length - 1)), 440);
  const x = columns.map((_, i) => gutter + edge + i * hop);
  return { narrow, gutter, hop, x, width: Math.max(width, x[x.length - 1] + edge) };
}

function heads(head, columns, geo) {
  put(head, columns.map((c, i) => {
    const last = i === columns.length - 1;
    const side = geo.narrow && i === 0 ? 'first' : geo.narrow && last ? 'last' : 'middle';
    const el = h('div', { class: side }, h('b', {}, c.name), h('span', {}, c.addr ?? ''));
    el.style.left = `${side === 'first' ? geo.x[i] - 10 : side === 'last' ? geo.x[i] + 10 : geo.x[i]}px`;
    return el;
  }));
  head.style.width = `${geo.width}px`;
}

// place gives each step its line, and each long pause between two steps its room.
function place(steps) {
  const y = [], pauses = [];
  let at = top, before = null;
  for (const step of steps) {
    if (before !== null && step.t_ms - before > longPause) {
      pauses.push({ y: at + pauseHeight / 2 + 2, ms: step.t_ms - before });
      at += pauseHeight;
    }
    at += rowHeight;
    y.push(at - 10);
    before = step.t_ms;
  }
  return { y, pauses, end: at };
}

function pause(p, geo) {
  const mid = (geo.x[0] + geo.x[geo.x.length - 1]) / 2;
  return s('g', { class: 'pause', 'aria-hidden': 'true' },
    s('line', { x1: geo.x[0], x2: geo.x[geo.x.length - 1], y1: p.y, y2: p.y }),
    s('rect', { x: mid - 36, y: p.y - 9, width: 72, height: 18, rx: 9 }),
    s('text', { x: mid, y: p.y + 4, 'text-anchor': 'middle' }, since(p.ms)));
}

const since = (ms) => (ms < 60000 ? `${(ms / 1000).toFixed(1)} s` : length(ms / 1000));

// stamp is the time of a step since the call began.
function stamp(ms) {
  const min = Math.floor(ms / 60000);
  const rest = ((ms % 60000) / 1000).toFixed(3);
  return min ? `${min}:${rest.padStart(6, '0')}` : rest;
}

// bands pairs what begins media with what ends them. Media of a call that is up go on to the
// lower end.
function bands(call, rows, geo) {
  const open = new Map(), out = [];
  const band = (b, end) => {
    const [x1, x2] = [geo.x[b.step.from], geo.x[b.step.to]].sort((a, c) => a - c);
    out.push(s('rect', { class: 'band', x: x1, y: b.y, width: Math.max(2, x2 - x1), height: Math.max(4, end - b.y) }));
  };
  call.steps.forEach((step, i) => {
    const key = [step.from, step.to].sort().join(' ');
    const b = open.get(key);
    if (step.kind === 'media-start') {
      if (b) b.streams++;
      else open.set(key, { step, streams: 1, y: rows.y[i] - rowHeight / 2 - 4 });
    }
    if (step.kind === 'media-stop' && b && --b.streams === 0) {
      band(b, rows.y[i] - rowHeight / 2 + 4);
      open.delete(key);
    }
  });
  for (const b of open.values()) band(b, rows.end + 16);
  return out;
}

function draws(step, y, geo, call, link) {
  const x1 = geo.x[step.from], x2 = geo.x[step.to];
  const time = s('text', { class: 'time', x: geo.gutter - 10, y: y + 4, 'text-anchor': 'end' }, stamp(step.t_ms));
  if (step.kind.startsWith('media') || step.kind === 'note' || x1 === x2 || x2 === undefined) return note(step, y, geo, time);
  const dir = x2 > x1 ? 1 : -1, tip = x2 - dir * 2;
  const name = (i) => call.columns[i]?.name ?? '';
  const inside = [
    s('title', {}, `${step.label}${step.again ? ' (again)' : ''}, ${step.size} bytes`),
    s('rect', { class: 'hit', x: Math.min(x1, x2) + 3, y: y - 24, width: Math.abs(x2 - x1) - 6, height: rowHeight - 4, rx: 5 }),
    s('text', { class: 'label', x: (x1 + x2) / 2, y: y - 7, 'text-anchor': 'middle' }, fit(step.label, Math.abs(x2 - x1) - 14, geo.narrow)),
    s('line', { class: 'shaft', x1: x1 + dir * 2, x2: tip - dir * 6, y1: y, y2: y }),
    s('path', { class: 'tip', d: `M${tip},${y}l${-dir * 9},-4.5v9z` }),
  ];
  const cls = `step ${kind(step)}${step.again ? ' again' : ''}`;
  if (!step.message) return s('g', { class: cls }, time, inside);
  return s('g', { class: cls }, time, s('a', {
    href: link(step.message),
    'aria-label': `${stamp(step.t_ms)} s, ${name(step.from)} to ${name(step.to)}: ${step.label}${step.again ? ', again' : ''}`,
  }, inside));
}

// kind is a step's kind, but for a challenge: there nothing has failed yet.
const kind = (step) => (/^40[17] /.test(step.label) ? 'challenge' : step.kind);

// note is what happened in one place, or to media: words on the lines.
function note(step, y, geo, time) {
  const mid = (geo.x[step.from] + (geo.x[step.to] ?? geo.x[step.from])) / 2;
  const room = step.from === step.to ? geo.hop : Math.abs(geo.x[step.to] - geo.x[step.from]);
  const text = fit(step.label, room - 20, geo.narrow);
  const w = text.length * (geo.narrow ? 6.2 : 6.8) + 20;
  const left = Math.min(Math.max(mid - w / 2, geo.gutter - 4), geo.width - w - 10);
  return s('g', { class: `step ${step.kind}` }, time,
    s('title', {}, step.label),
    s('rect', { class: 'chip', x: left, y: y - 15, width: w, height: 21, rx: 10.5 }),
    s('text', { class: 'label', x: left + w / 2, y, 'text-anchor': 'middle' }, text));
}

// fit shortens a label to what there is room for.
function fit(text, room, narrow) {
  const chars = Math.floor(room / (narrow ? 6.4 : 7));
  return text.length <= chars ? text : text.slice(0, Math.max(3, chars - 1)) + '\u2026';
}
