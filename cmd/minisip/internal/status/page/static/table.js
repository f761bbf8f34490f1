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

// pager leads through the pages, from that with the row of a number on; turn is called for another.
export function pager(offset, turn) {
  const step = (d) => () => {
    pages.offset = Math.max(0, pages.offset + d * pageSize);
    turn();
    scrollTo(0, 0);
  };
  const back = h('button', { type: 'button', 'aria-label': 'newer', onclick: step(-1) }, '\u2190');
  const on = h('button', { type: 'button', 'aria-label': 'older', onclick: step(1) }, '\u2192');
  const text = h('span', { role: 'status' });
  const pages = {
    el: h('div', { class: 'pager', hidden: true }, text, back, on),
    offset,
    // show says whether there is something on this page; where the list has become too short for it, it turns to the last.
    show(shown, matched) {
      if (!shown && pages.offset > 0 && matched > 0) {
        pages.offset = Math.floor((matched - 1) / pageSize) * pageSize;
        turn();
        return false;
      }
      const first = pages.offset;
      pages.el.hidden = matched <= pageSize && first === 0;
      put(text, shown ? `${count(first + 1)} to ${count(first + shown)} of ${count(matched)}` : `none of ${count(matched)}`);
      back.disabled = first === 0;
      on.disabled = first + shown >= matched;
      return true;
    },
  };
  return pages;
}
