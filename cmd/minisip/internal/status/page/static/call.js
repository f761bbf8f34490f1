// One call: what was found, its ladder, its media, and the messages.

import { get, post } from './api.js';
import { armed, clock, count, empty, fixed, h, length, put } from './dom.js';
import { badge, numbered } from './calls.js';
import { chart, codec, grade, verdict } from './chart.js';
import { ladder } from './ladder.js';
import { messagePanel } from './message.js';

export function callView(app, [id]) {
  const base = `#/calls/${id}`;
  let call = null, wanted = '';
  const title = h('h1');
  const facts = h('p', { class: 'facts' });
  const hang = armed('Hang up', 'Press again to hang up', () =>
    post(`/api/calls/${id}/hangup`).then(() => app.say('Both phones are told to hang up.'), (e) => app.say(e.message, true)));
  hang.hidden = true;
  const findings = h('div', { class: 'findings' });
  const draw = ladder((m) => `${base}/m/${m}`);
  const skipped = h('p', { class: 'skipped', hidden: true });
  const media = h('div', { class: 'media' });
  const panel = messagePanel(app, () => {
    draw.focus();
    draw.select('');
    app.replace(base);
  });
  const el = h('section', { class: 'view call' },
    h('p', { class: 'back' }, h('a', { href: '#/calls' }, '\u2190 Calls')),
    h('div', { class: 'bar' }, title, hang), facts, findings,
    h('div', { class: 'columns' },
      h('div', { class: 'card' }, draw.el, skipped, legend()),
      h('aside', {}, panel.el, media)));

  function show(c) {
    call = c;
    put(title, h('b', {}, c.from), h('span', { class: 'to', 'aria-label': ' to ' }, '\u2192'), h('b', {}, c.to), ' ', badge(c));
    document.title = `${c.from} \u2192 ${c.to} \u00b7 minisip`;
    hang.hidden = c.state === 'ended' || c.state === 'ending';
    tick();
    put(findings, (c.findings ?? []).map((f) => h('div', { class: `finding ${f.severity}`, role: f.severity === 'error' ? 'alert' : null },
      h('p', {}, h('b', {}, f.text)), f.next ? h('p', {}, f.next) : null)));
    draw.show(c);
    put(skipped, `${count(c.steps_skipped ?? 0)} messages in the middle of the call are not kept.`);
    skipped.hidden = !c.steps_skipped;
    showMedia();
    if (wanted) open(['m', wanted]);
  }

  function tick() {
    const c = call;
    if (!c) return;
    const up = c.answer ? length(c.state === 'ended' ? c.seconds : (app.now() - Date.parse(c.answer)) / 1000) : null;
    put(facts, [/^\d/.test(c.id) && numbered(c), `began ${clock(c.begin)}`, up && `${c.state === 'ended' ? 'lasted' : 'up for'} ${up}`, c.why, c.verdict && `media: ${c.verdict}`]
      .filter(Boolean).join(' \u00b7 '));
  }

  let drawn = '';
  function showMedia() {
    const is = JSON.stringify([call.media, media.clientWidth]);
    if (is === drawn) return;
    drawn = is;
    put(media, (call.media ?? []).map((m) => direction(m, (media.clientWidth || 342) - 42)));
  }
  const watch = new ResizeObserver(() => call && showMedia());
  watch.observe(media);

  async function refresh() {
    try {
      show(await get(`/api/calls/${encodeURIComponent(id)}`));
    } catch (e) {
      if (e.status !== 404) throw e;
      put(el, h('p', { class: 'back' }, h('a', { href: '#/calls' }, '\u2190 Calls')),
        empty(`There is no call ${id}.`, h('p', {}, 'Ended calls are kept for some hours, and the log and the call records know of it longer.')));
    }
  }

  function open(parts) {
    wanted = parts[0] === 'm' ? parts[1] : '';
    if (!wanted) {
      panel.hide();
      draw.select('');
      return;
    }
    if (!call) return; // when it has come
    draw.select(`${base}/m/${wanted}`);
    panel.show(wanted, call.steps.find((s) => s.message === wanted)?.label);
  }

  return {
    title: `Call ${id}`, el, refresh, tick, open,
    events: { [`call:${id}`]: show },
    close() {
      watch.disconnect();
      panel.close();
      draw.close();
    },
  };
}

// direction is what came from one side, in full.
function direction(m, width) {
  const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  return h('section', { class: 'card direction', 'aria-label': `${m.kind} from ${m.from}` },
    h('header', {},
      h('div', {}, h('h2', {}, `From ${m.from}`), verdict(m)),
      m.kind === 'audio' ? h('div', { class: `score ${grade(m.mos)}`, title: 'mean opinion score, 1 to 4.5' },
        h('b', {}, m.mos ? fixed(m.mos, 1) : '\u2013'), h('span', {}, m.mos_now ? `MOS, now ${fixed(m.mos_now, 1)}` : 'MOS')) : null),
    chart(m, width),
    h('dl', {},
      fact(m.kind, codec(m) || 'not known'),
      fact('packets', count(m.packets)),
      fact('lost', `${count(m.lost)} (${fixed(m.loss_percent, 1)} %)`),
      fact('jitter', `${fixed(m.jitter_ms, 1)} ms`),
      m.rtt_ms ? fact('round trip', `${fixed(m.rtt_ms, m.rtt_ms < 10 ? 1 : 0)} ms`) : null,
      fact('comes from', h('span', { class: 'mono' }, m.source || 'nowhere yet')),
      m.payload_types?.length > 1 ? fact('carries', m.payload_types.join(', ')) : null,
      m.out_of_order ? fact('out of order', count(m.out_of_order)) : null,
      m.duplicates ? fact('copies', count(m.duplicates)) : null,
      m.undelivered ? fact('not passed on', `${count(m.undelivered)}: nowhere to send them`) : null,
      m.strangers ? fact('refused', [`${count(m.strangers)} of strangers, the last `, h('span', { class: 'mono' }, m.stranger)]) : null));
}

const legend = () => h('ul', { class: 'legend', 'aria-hidden': 'true' },
  [['request', 'request'], ['provisional', 'on its way'], ['challenge', 'challenge'], ['success', 'success'], ['failure', 'failure'], ['again', 'sent again'], ['media-start', 'media']]
    .map(([cls, text]) => h('li', { class: cls }, text)));
