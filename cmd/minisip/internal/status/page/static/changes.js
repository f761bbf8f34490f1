// What minisip changed of a message, line by line.

import { h } from './dom.js';

// changes marks the lines that went and came; where one came for another, also the part that differs.
export function changes(list) {
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
