// The messages from and to one user, the newest first.

import { get, query } from './api.js';
import { clock, count, empty, h, put } from './dom.js';
import { cell, row, table } from './table.js';
import { MessagePanel } from './message.js';

export function userView(app, [user]) {
  const base = `#/users/${encodeURIComponent(user)}`;
  let messages = [];
  const list = table(`Messages of ${user}`, [['Time', 'time'], ['', 'dir'], ['Message', 'label'], ['Other side', 'addr'], ['Size', 'size'], ['Call', 'of']],
    messageRow, (m) => m.id);
  const nothing = h('div');
  const panel = new MessagePanel(app, () => {
    app.replace(base);
    mark('');
  });
  const el = h('section', { class: 'view call' },
    h('p', { class: 'back' }, h('a', { href: '#/users' }, '\u2190 Users')),
    h('div', { class: 'bar' }, h('h1', {}, h('b', {}, user)), h('p', { class: 'facts' }, 'the last messages from and to this user')),
    h('div', { class: 'columns' }, h('div', { class: 'card messages' }, list.el, nothing), h('aside', {}, panel.el)));

  function messageRow(m) {
    return row({ class: 'link' },
      cell('time num', clock(m.time, true)),
      cell('dir', h('span', { class: m.received ? 'in' : 'out', title: m.received ? 'from the phone' : 'to the phone' }, m.received ? '\u2192' : '\u2190')),
      cell('label', h('a', { href: `${base}/m/${m.id}`, 'data-id': m.id }, m.label), m.again ? h('span', { class: 'badge' }, 'again') : null),
      cell('addr mono', m.received ? m.from : m.to),
      cell('size num', `${count(m.size)} B`),
      cell('of', m.call ? h('a', { class: 'over', href: `#/calls/${m.call}` }, /^\d/.test(m.call) ? `call ${m.call}` : 'refused') : ''));
  }

  async function refresh() {
    const got = await get(query(`/api/users/${encodeURIComponent(user)}/messages`, { limit: 100 }));
    messages = (got.messages ?? []).slice(-100).reverse();
    list.show(messages);
    list.el.hidden = !messages.length;
    put(nothing, messages.length ? '' : empty(`No message of ${user} is kept.`, h('p', {}, 'The newest messages of all users are kept in memory; these may have been written over.')));
  }

  function mark(id) {
    for (const a of list.body.querySelectorAll('a[data-id]')) a.closest('tr').classList.toggle('selected', a.dataset.id === id);
  }

  return {
    title: user, el, refresh, events: {},
    close: () => panel.close(),
    ages: () => true,
    open(parts) {
      const id = parts[0] === 'm' ? parts[1] : '';
      mark(id);
      if (id) panel.show(id, messages.find((m) => m.id === id)?.label);
      else panel.hide();
    },
  };
}
