// Who is registered, from where.

import { get, query } from './api.js';
import { clock, empty, fixed, h, put, searchBox, span } from './dom.js';
import { cell, pager, pageSize, row, table } from './table.js';

export function usersView(app, _, params) {
  let q = params.get('q') ?? '', asked = 0;
  const go = () => {
    app.replace(query('#/users', { q, offset: pages.offset || '' }));
    refresh().catch(app.failed);
  };
  const list = table('Users', [['User', 'who'], ['Address', 'addr'], ['Phone', 'agent'], ['Ping', 'ping'], ['Last heard', 'heard'], ['Expires', 'expires']],
    (u) => userRow(u, app), (u) => `${u.user} ${u.contact} ${u.source}`);
  const pages = pager(Number(params.get('offset')) || 0, go);
  const nothing = h('div');
  const el = h('section', { class: 'view' },
    h('div', { class: 'bar' }, h('h1', {}, 'Users'), searchBox('User, address or phone', q, (text) => { q = text; pages.offset = 0; go(); })),
    h('div', { class: 'card users' }, list.el, nothing), pages.el);

  async function refresh() {
    const n = ++asked;
    const got = await get(query('/api/users', { q, offset: pages.offset, limit: pageSize }));
    if (n !== asked) return;
    const users = got.users ?? [];
    if (!pages.show(users.length, got.matched)) return;
    list.show(users);
    list.el.hidden = !users.length;
    put(nothing, users.length ? '' : q ? empty(`Nobody matches \u201c${q}\u201d.`, h('p', {}, 'Only who is registered is listed here.')) : howTo(app));
  }
  return { title: 'Users', el, refresh, ages: () => true, events: {} };
}

function userRow(u, app) {
  const away = u.suspended;
  return row({ class: 'link' },
    cell('who', h('a', { href: `#/users/${encodeURIComponent(u.user)}` }, h('b', {}, u.user)),
      u.nat ? h('span', { class: 'badge' }, 'behind NAT') : null, away ? h('span', { class: 'badge error' }, 'does not answer') : null),
    cell('addr mono', u.source, u.path?.length ? h('p', { class: 'muted' }, `via ${u.path.join(', ')}`) : null),
    cell('agent', u.agent || h('span', { class: 'muted' }, 'does not say')),
    cell('ping num', u.ping_ms === null || u.ping_ms === undefined ? h('span', { class: 'muted' }, u.nat ? 'none yet' : 'none') : `${fixed(u.ping_ms, u.ping_ms < 10 ? 1 : 0)} ms`),
    cell('heard num', span((app.now() - Date.parse(u.last_seen)) / 1000), ' ago'),
    cell('expires num', h('span', { title: `registered ${clock(u.registered)}` }, `in ${span(u.expires_s)}`)));
}

// howTo leads a newcomer to a registered phone.
function howTo(app) {
  return empty('No phone is registered.',
    h('ol', {},
      h('li', {}, 'Install a SIP phone: Linphone, baresip, MicroSIP, or a desk phone.'),
      h('li', {}, 'Make an account in it:',
        h('dl', { class: 'account' },
          h('dt', {}, 'server'), h('dd', { class: 'mono' }, app.overview?.server ?? ''),
          h('dt', {}, 'user'), h('dd', { class: 'mono' }, '001'),
          h('dt', {}, 'password'), h('dd', {}, 'the one that minisip printed when it first started'),
          h('dt', {}, 'transport'), h('dd', {}, 'UDP'))),
      h('li', {}, 'It shows here as soon as it has registered. For more users, or a new password: ', h('code', {}, 'minisip user add NAME'), ', ', h('code', {}, 'minisip user passwd NAME'), '.')),
    h('p', {}, 'Still nothing? A phone that types a wrong name or password is named in the ', h('a', { href: '#/log' }, 'log'),
      '. If the log is silent too, no packet of it reaches this host: look at its firewall.'));
}
