// Addresses that get no answer, and the way out.

import { del, get } from './api.js';
import { armed, count, empty, h, put, span } from './dom.js';
import { cell, row, table } from './table.js';

export function bansView(app) {
  const list = table('Bans', [['Address', 'who'], ['Why', 'why'], ['Failures', 'num'], ['Ends', 'num'], ['', 'act']], banRow, (b) => b.ip);
  const nothing = h('div');
  const el = h('section', { class: 'view' }, h('div', { class: 'bar' }, h('h1', {}, 'Bans')), h('div', { class: 'card bans' }, list.el, nothing));

  function banRow(b) {
    return row({},
      cell('who', h('b', { class: 'mono' }, b.ip)),
      cell('why', b.why),
      cell('num', `${count(b.failures)} failures`),
      cell('num', 'ends in ', span((Date.parse(b.until) - app.now()) / 1000)),
      cell('act', armed('Lift', 'Press again to lift', () => del(`/api/bans/${encodeURIComponent(b.ip)}`).then(() => {
        app.say(`${b.ip} is served again.`);
        return refresh();
      }, app.failed))));
  }

  async function refresh() {
    const bans = (await get('/api/bans')).bans ?? [];
    list.show(bans);
    list.el.hidden = !bans.length;
    put(nothing, bans.length ? '' : empty('Nobody is banned.', h('p', {}, 'An address that tries one wrong password after the other gets no answer for a while, and is listed here.')));
  }
  return { title: 'Bans', el, refresh, ages: () => true, events: {} };
}
