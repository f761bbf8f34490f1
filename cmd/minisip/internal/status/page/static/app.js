// The frame of the page: which view stands in it, the top line, and the line to the server.

import { get, Live } from './api.js';
import { count, fixed, h, put, span } from './dom.js';
import { callsView } from './calls.js';
import { callView } from './call.js';
import { usersView } from './users.js';
import { userView } from './user.js';
import { logView } from './log.js';
import { bansView } from './bans.js';
import { featuresView } from './features.js';

const $ = (id) => document.getElementById(id);
const main = $('main');

// What every view may ask for: the newest overview, and the server's clock.
const app = {
  overview: null,
  now: () => Date.now() + app.skew,
  skew: 0,
  replace(hash) {
    history.replaceState(null, '', hash);
    shown = hash;
  },
  say,
  failed: (e) => say(e.message, true),
};

const words = { live: 'live', waiting: 'no connection', paused: 'paused' };
const live = new Live((state) => {
  $('live').className = `live ${state}`;
  put($('live-text'), words[state]);
});

// say shows a sentence for a while: what went wrong, or what was done.
let saying = 0;
function say(text, bad) {
  clearTimeout(saying);
  const toast = $('toast');
  toast.className = bad ? 'bad' : '';
  put(toast, text);
  toast.hidden = false;
  saying = setTimeout(() => { toast.hidden = true; }, 6000);
}

// routes names the view of the first word after #/; with a second word, of one thing.
const routes = {
  calls: [callsView, callView],
  users: [usersView, userView],
  log: [logView],
  bans: [bansView],
  features: [featuresView],
};

let view = null, key = '', shown = null;

function route() {
  const hash = location.hash || '#/calls';
  if (hash === shown) return;
  shown = hash;
  const [path, search = ''] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map(decodeURIComponent);
  const kinds = routes[parts[0]] ?? routes.calls;
  const make = parts[1] && kinds[1] ? kinds[1] : kinds[0];
  const is = `${make.name} ${make === kinds[1] ? parts[1] : ''}`;
  const query = new URLSearchParams(search);
  for (const a of document.querySelectorAll('nav a')) {
    if (a.hash === `#/${parts[0]}`) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  if (is === key && view.open) {
    view.open(parts.slice(2), query);
    return;
  }
  const first = !view;
  view?.close?.();
  key = is;
  view = make(app, parts.slice(1), query);
  put(main, view.el);
  document.title = `${view.title} · minisip`;
  scrollTo(0, 0);
  if (!first && document.activeElement === document.body) main.focus({ preventScroll: true }); // where the next Tab goes on from
  const current = view;
  let asked = 0;
  const refresh = async (failed) => {
    if (view !== current) return;
    asked = Date.now();
    try {
      await view.refresh();
    } catch (e) {
      failed?.(e);
    }
  };
  const beat = (o) => {
    overview(o);
    current.tick?.(o);
    // What no event tells of is asked for again; every five seconds is soon enough.
    if (current.ages?.() && Date.now() - asked >= 5000) refresh();
  };
  live.follow({ ...view.events, overview: beat }, () => refresh(app.failed));
  refresh(app.failed);
  view.open?.(parts.slice(2), query);
}

// The top line.
function overview(o) {
  app.overview = o;
  app.skew = new Date(o.now) - Date.now();
  const figure = (id, text, level) => {
    put($(id), text);
    $(id).className = `value ${level ?? ''}`;
  };
  figure('t-users', count(o.users));
  figure('t-calls', count(o.calls));
  figure('t-ringing', count(o.ringing));
  figure('t-packets', count(o.packets_per_s));
  figure('t-loss', `${fixed(o.loss_percent, 1)} %`, o.loss_percent >= 3 ? 'bad' : o.loss_percent >= 1 ? 'warn' : '');
  figure('t-lag', `${fixed(o.loop_lag_ms, o.loop_lag_ms < 10 ? 1 : 0)} ms`, o.loop_lag_ms >= 50 ? 'bad' : o.loop_lag_ms >= 10 ? 'warn' : '');
  $('t-lag').title = `at most ${fixed(o.loop_lag_max_ms, 1)} ms since the start`;
  const reasons = Object.entries(o.dropped ?? {}).sort((a, b) => b[1] - a[1]);
  figure('t-dropped', count(reasons.reduce((n, [, k]) => n + k, 0) + (o.queue_drops ?? 0)));
  put($('reasons'),
    reasons.length ? reasons.map(([why, n]) => [h('dt', {}, why), h('dd', {}, count(n))]) : h('dt', {}, 'nothing was dropped'),
    o.queue_drops ? [h('dt', {}, 'queue was full'), h('dd', {}, count(o.queue_drops))] : null);
  put($('version'), o.version);
  figure('t-uptime', span(o.uptime_s));
  const warnings = o.warnings ?? [];
  put($('warnings'), warnings.map((text) => h('p', {}, text)));
  $('warnings').hidden = !warnings.length;
}

addEventListener('hashchange', route);
get('/api/overview').then(overview, (e) => say(e.message, true)).finally(route);
