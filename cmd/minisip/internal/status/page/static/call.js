// One call: what was found, its ladder, its media, and the messages.

import { get, post } from './api.js';
import { armed, clock, count, empty, fixed, h, keyed, length, put } from './dom.js';
import { badge, numbered } from './calls.js';
import { chart, codec, grade, verdict } from './chart.js';
import { ladder } from './ladder.js';
import { MessagePanel } from './message.js';

// CallView is the view of one call.
class CallView {
  #app;
  #id;
  #base;
  #call = null;
  #wanted = ''; // the message that is to be shown
  #drawn = '';
  #title = h('h1');
  #facts = h('p', { class: 'facts' });
  #findings = h('div', { class: 'findings' });
  #skipped = h('p', { class: 'skipped', hidden: true });
  #media = h('div', { class: 'media' });
  #hang = armed('Hang up', 'Press again to hang up', () => this.#hangUp());
  #ladder = ladder((m) => `${this.#base}/m/${m}`);
  #watch = new ResizeObserver(() => this.#call && this.#showMedia());
  #panel;

  constructor(app, id) {
    this.#app = app;
    this.#id = id;
    this.#base = `#/calls/${encodeURIComponent(id)}`;
    this.title = `Call ${id}`;
    this.events = { [`call:${id}`]: (c) => this.#show(c) };
    this.#panel = new MessagePanel(app, () => {
      this.#wanted = '';
      this.#ladder.focus();
      this.#ladder.select('');
      app.replace(this.#base);
    });
    this.#hang.hidden = true;
    this.el = h('section', { class: 'view call' },
      back(), h('div', { class: 'bar' }, this.#title, this.#hang), this.#facts, this.#findings,
      h('div', { class: 'columns' },
        h('div', { class: 'card' }, this.#ladder.el, this.#skipped, legend()),
        h('aside', {}, this.#panel.el, this.#media)));
    this.#watch.observe(this.#media);
  }

  async refresh() {
    try {
      this.#show(await get(`/api/calls/${encodeURIComponent(this.#id)}`));
    } catch (e) {
      if (e.status !== 404) throw e;
      put(this.el, back(), empty(`There is no call ${this.#id}.`,
        h('p', {}, 'Ended calls are kept for some hours, and the log and the call records know of it longer.')));
    }
  }

  // open shows the message that the address names, or none.
  open(parts) {
    this.#wanted = parts[0] === 'm' ? parts[1] : '';
    if (!this.#wanted) {
      this.#panel.hide();
      this.#ladder.select('');
    } else if (this.#call) { // else when it has come
      this.#ladder.select(`${this.#base}/m/${this.#wanted}`);
      this.#panel.show(this.#wanted, this.#call.steps.find((s) => s.message === this.#wanted)?.label);
    }
  }

  tick() {
    const c = this.#call;
    if (!c) return;
    const ended = c.state === 'ended';
    const up = c.answer && length(ended ? c.seconds : (this.#app.now() - Date.parse(c.answer)) / 1000);
    put(this.#facts, [
      /^\d/.test(c.id) && numbered(c), `began ${clock(c.begin)}`, up && `${ended ? 'lasted' : 'up for'} ${up}`, c.why, c.verdict && `media: ${c.verdict}`,
    ].filter(Boolean).join(' \u00b7 '));
  }

  close() {
    this.#watch.disconnect();
    this.#panel.close();
    this.#ladder.close();
  }

  #show(c) {
    this.#call = c;
    put(this.#title, h('b', {}, c.from), h('span', { class: 'to', 'aria-label': ' to ' }, '\u2192'), h('b', {}, c.to), ' ', badge(c));
    document.title = `${c.from} \u2192 ${c.to} \u00b7 minisip`;
    this.#hang.hidden = c.state === 'ended' || c.state === 'ending';
    this.tick();
    keyed(this.#findings, c.findings ?? [], (f) => f.code + f.text, finding);
    this.#ladder.show(c);
    put(this.#skipped, `${count(c.steps_skipped ?? 0)} messages in the middle of the call are not kept.`);
    this.#skipped.hidden = !c.steps_skipped;
    this.#showMedia();
    if (this.#wanted) this.open(['m', this.#wanted]);
  }

  #showMedia() {
    const is = JSON.stringify([this.#call.media, this.#media.clientWidth]);
    if (is === this.#drawn) return;
    this.#drawn = is;
    const all = (this.#call.media ?? []).map((m) => direction(m, (this.#media.clientWidth || 342) - 42));
    put(this.#media, all.length || !this.#call.answer ? all
      : h('p', { class: 'card direction muted' }, 'Sound does not pass through minisip, so nothing is known of it: re_sdp was off when this call began.'));
  }

  async #hangUp() {
    try {
      await post(`/api/calls/${encodeURIComponent(this.#id)}/hangup`);
      this.#app.say('Both phones are told to hang up.');
    } catch (e) {
      this.#app.failed(e);
    }
  }
}

export const callView = (app, [id]) => new CallView(app, id);

const back = () => h('p', { class: 'back' }, h('a', { href: '#/calls' }, '\u2190 Calls'));

const finding = (f) => h('div', { class: `finding ${f.severity}`, role: f.severity === 'error' ? 'alert' : null },
  h('p', {}, h('b', {}, f.text)), f.next ? h('p', {}, f.next) : null);

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
      m.oversize ? fact('too large', `${count(m.oversize)}, not passed on`) : null,
      m.unaddressed ? fact('not passed on', `${count(m.unaddressed)}: nowhere to send them yet`) : null,
      m.undelivered ? fact('not sent', `${count(m.undelivered)}: this server would not send them`) : null,
      m.strangers ? fact('refused', [`${count(m.strangers)} of strangers, the last `, h('span', { class: 'mono' }, m.stranger)]) : null));
}

const legend = () => h('ul', { class: 'legend', 'aria-hidden': 'true' },
  [['request', 'request'], ['provisional', 'on its way'], ['challenge', 'challenge'], ['success', 'success'], ['failure', 'failure'], ['again', 'sent again'], ['media-start', 'media']]
    .map(([cls, text]) => h('li', { class: cls }, text)));
