// A table whose rows come from the server a page at a time, so that it is as quick with
// 100,000 of them as with three.

import { count, h, keyed, put } from './dom.js';

export const pageSize = 50;

// table makes one: columns are [heading, class] pairs. On a narrow screen style sheets make a
// card of each row; the roles say that it is a table all the same.
export function table(label, columns, make, key) {
  const body = h('tbody', { role: 'rowgroup' });
  const el = h('table', { role: 'table', 'aria-label': label },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(([name, cls]) =>
      h('th', { role: 'columnheader', scope: 'col', class: cls }, name)))),
    body);
  return { el, body, show: (items) => keyed(body, items, key, make) };
}

export const row = (attrs, ...cells) => h('tr', { role: 'row', ...attrs }, cells);
export const cell = (cls, ...children) => h('td', { role: 'cell', class: cls }, children);

// pager leads through the pages.
export function pager(turn) {
  const back = h('button', { type: 'button', 'aria-label': 'newer', onclick: () => turn(-1) }, '\u2190');
  const on = h('button', { type: 'button', 'aria-label': 'older', onclick: () => turn(1) }, '\u2192');
  const text = h('span', { role: 'status' });
  const el = h('div', { class: 'pager', hidden: true }, text, back, on);
  return {
    el,
    show(offset, shown, matched) {
      el.hidden = matched <= pageSize && offset === 0;
      put(text, shown ? `${count(offset + 1)} to ${count(offset + shown)} of ${count(matched)}` : `none of ${count(matched)}`);
      back.disabled = offset === 0;
      on.disabled = offset + shown >= matched;
    },
  };
}
