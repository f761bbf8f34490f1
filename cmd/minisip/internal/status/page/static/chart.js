// Loss and jitter over time. Loss is columns from below, jitter a line: each in a lane of its
// own, for they have no scale in common. Where no packet came, a shade stands in both.

import { fixed, h, length, s } from './dom.js';

// What a verdict calls lossy and choppy.
const lossy = 3, choppy = 50;

const level = (v, limit) => (v >= limit ? 'bad' : v >= limit / 3 ? 'warn' : 'good');

// grade is the colour of a mean opinion score.
export const grade = (mos) => (!mos ? 'none' : mos >= 3.8 ? 'good' : mos >= 3 ? 'warn' : 'bad');

// quality is a direction in the list of calls: a small chart, MOS and verdict.
export function quality(m) {
  return h('div', { class: 'quality' },
    spark(m),
    h('div', {},
      h('span', { class: `mos ${grade(m.mos)}` }, m.mos ? fixed(m.mos, 1) : '\u2013'),
      h('span', { class: 'codec' }, codec(m))),
    verdict(m));
}

// verdict is what is to be said of a direction, in words.
export const verdict = (m) => h('p', { class: `verdict ${/^(fine|too short|$)/.test(m.verdict ?? '') ? '' : 'odd'}` }, m.verdict || 'begins');

// codec is the name of a codec without what every phone of that codec says too.
export const codec = (m) => (m.codec || m.kind || '').replace('/8000', '').replace('/90000', '').replace('/48000/2', '');

function spark(m) {
  const w = 88, ht = 34, samples = m.samples ?? [];
  const svg = s('svg', { class: 'spark', viewBox: `0 0 ${w} ${ht}`, width: w, height: ht, role: 'img', 'aria-label': inWords(m) });
  svg.append(s('line', { class: 'base', x1: 0, x2: w, y1: ht - 0.5, y2: ht - 0.5 }));
  if (samples.length) svg.append(lossBars(samples, w, 0, ht, 5), jitterLine(samples, w, 1, ht - 2, 40));
  return svg;
}

const inWords = (m) => `from ${m.from}: ${fixed(m.loss_percent, 1)} % lost, jitter ${fixed(m.jitter_ms, 0)} ms${m.mos ? `, MOS ${fixed(m.mos, 1)}` : ''}`;

const most = (samples, field, least) => Math.max(least, ...samples.map((x) => x[field] ?? 0));

function lossBars(samples, w, y, ht, least) {
  const top = most(samples, 'loss_percent', least), step = w / Math.max(samples.length, 12);
  return s('g', {}, samples.map((x, i) => {
    if (x.loss_percent === null) return s('rect', { class: 'silent', x: i * step, y, width: step, height: ht });
    if (!x.loss_percent) return null;
    const bar = Math.max(1.5, (x.loss_percent / top) * ht);
    return s('rect', { class: `loss ${level(x.loss_percent, lossy)}`, x: i * step, y: y + ht - bar, width: step > 3 ? step - 1 : step, height: bar });
  }));
}

function jitterLine(samples, w, y, ht, least) {
  const top = most(samples, 'jitter_ms', least), step = w / Math.max(samples.length, 12);
  let d = '', drawing = false;
  samples.forEach((x, i) => {
    if (x.loss_percent === null) { // nothing came, of which jitter could be told
      drawing = false;
      return;
    }
    const height = (y + ht - ((x.jitter_ms || 0) / top) * ht).toFixed(1);
    if (!drawing) d += `M${(i * step).toFixed(1)} ${height}`; // so that a single sample is seen too
    d += `L${((i + 0.5) * step).toFixed(1)} ${height}`;
    drawing = true;
  });
  return s('path', { class: 'jitter', d });
}

// chart is a direction in full: two lanes with their scale, time below. It is drawn for the
// width that it has.
export function chart(m, width) {
  const samples = m.samples ?? [], lane = 46, gap = 26, w = width - 44;
  const svg = s('svg', { class: 'chart', viewBox: `0 0 ${width} ${2 * lane + gap + 36}`, width, height: 2 * lane + gap + 36, role: 'img', 'aria-label': inWords(m) });
  const lanes = [
    ['loss', 'loss_percent', lossBars, lossy, 5, '%'],
    ['jitter', 'jitter_ms', jitterLine, choppy, 60, 'ms'],
  ];
  lanes.forEach(([name, field, draw, limit, least, unit], i) => {
    const y = 16 + i * (lane + gap), top = most(samples, field, least);
    svg.append(
      s('text', { class: 'name', x: 0, y: y - 5 }, name),
      s('line', { class: 'base', x1: 0, x2: w, y1: y + lane + 0.5, y2: y + lane + 0.5 }),
      s('line', { class: 'limit', x1: 0, x2: w, y1: y + lane * (1 - limit / top), y2: y + lane * (1 - limit / top) }),
      s('text', { class: 'tick', x: w + 6, y: y + lane * (1 - limit / top) + 3.5 }, `${limit} ${unit}`));
    if (samples.length) svg.append(draw(samples, w, y, lane, least));
  });
  const end = 2 * lane + gap + 32;
  if (samples.length > 1) {
    const last = samples[samples.length - 1].t_s;
    const x = ((samples.length - 0.5) * w) / Math.max(samples.length, 12);
    svg.append(s('text', { class: 'tick', x: 0, y: end }, length(samples[0].t_s)), s('text', { class: 'tick', x: Math.min(x, w), y: end, 'text-anchor': 'end' }, length(last)));
  }
  return svg;
}
