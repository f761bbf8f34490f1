// One message, as it came and as it went, with what changed between the two.

import { get } from './api.js';
import { changes } from './changes.js';
import { clock, count, h, put } from './dom.js';

const small = matchMedia('(max-width: 900px)');

// MessagePanel shows messages: beside the page, or over it where that is narrow. closed is
// called when the reader puts it away.
export class MessagePanel {
  #title = h('h2', { id: 'message-title', tabindex: '-1', autofocus: true });
  #facts = h('p', { class: 'facts' });
  #tabs = h('div', { class: 'segments', role: 'group', 'aria-label': 'Which text' });
  #text = h('div', { class: 'text', tabindex: '0', role: 'region', 'aria-label': 'Text of the message' });
  #copy = h('button', { type: 'button', class: 'quiet', onclick: () => this.#copies() }, 'Copy');
  #shown = '';
  #copied = '';
  #app;
  #closed;

  constructor(app, closed) {
    this.#app = app;
    this.#closed = closed;
    const close = h('button', { type: 'button', class: 'quiet close', 'aria-label': 'Close', onclick: () => this.#away() }, '\u00d7');
    this.el = h('dialog', {
      class: 'message', 'aria-labelledby': 'message-title',
      onkeydown: (e) => e.key === 'Escape' && this.#away(e),
      oncancel: (e) => this.#away(e), // the gesture that goes back, on a phone
    }, h('header', {}, this.#title, close), this.#facts, h('div', { class: 'tools' }, this.#tabs, this.#copy), this.#text);
    small.addEventListener('change', this.#turned);
  }

  // show opens a message; label is what it is called meanwhile.
  async show(id, label) {
    if (this.#shown === id) return;
    this.#shown = id;
    let m;
    try {
      m = await get(`/api/messages/${encodeURIComponent(id)}`);
    } catch (e) {
      if (this.#shown !== id) return;
      this.#app.say(e.status === 404 ? 'The text of this message is no longer kept.' : e.message, true);
      this.#away();
      return;
    }
    if (this.#shown !== id) return;
    put(this.#title, label || lines(m.text)[0]);
    put(this.#facts, `${clock(m.time, true)} \u00b7 ${m.received ? 'from' : 'to'} `, h('span', { class: 'mono' }, m.received ? m.from : m.to),
      ` \u00b7 ${count(new Blob([m.text]).size)} bytes`);
    this.#offer(ways(m));
    if (!this.el.open) this.#open();
  }

  hide() {
    this.#shown = '';
    if (this.el.open) this.el.close();
  }

  // close ends it with its view: what is still on its way is not shown any more.
  close() {
    this.#shown = '';
    small.removeEventListener('change', this.#turned);
  }

  #open() {
    if (small.matches) this.el.showModal();
    else this.el.show();
  }

  // #turned puts an open panel where it belongs when the screen has got wide or narrow.
  #turned = () => {
    if (!this.el.open) return;
    this.el.close();
    this.#open();
  };

  #away(event) {
    event?.preventDefault();
    this.hide();
    this.#closed();
  }

  // #offer makes a tab of each way to look at the message.
  #offer(list) {
    const choose = (i) => {
      [...this.#tabs.children].forEach((b, k) => b.setAttribute('aria-pressed', k === i));
      put(this.#text, list[i].show());
      this.#text.scrollTop = 0;
      this.#copied = list[i].text;
    };
    put(this.#tabs, list.map(({ name }, i) => h('button', { type: 'button', onclick: () => choose(i) }, name)));
    choose(0);
  }

  async #copies() {
    try {
      await navigator.clipboard.writeText(this.#copied);
      put(this.#copy, 'Copied');
      setTimeout(() => put(this.#copy, 'Copy'), 2000);
    } catch {
      this.#app.say('The browser lets a page copy only over HTTPS or from this machine.', true);
    }
  }
}

// ways are the ways to look at a message; one that was made here, or not sent on, has one.
function ways(m) {
  const as = (name, text) => ({ name, text, show: () => plain(text) });
  if (m.before === null || m.before === undefined) return [as(m.received ? 'As it came' : 'As it went', m.text)];
  const same = !(m.changes ?? []).some((c) => c.op !== ' ');
  const diff = () => (same ? h('p', { class: 'same' }, 'It went on byte for byte.') : changes(m.changes));
  return [{ name: 'Changes', text: m.text, show: diff }, as('As it came', m.before), as('As it went', m.text)];
}

const lines = (t) => t.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');

function plain(t) {
  let body = false;
  return lines(t).map((line, i) => {
    if (line === '') body = true;
    return h('div', { class: 'line' }, i === 0 ? h('b', {}, line) : body ? line || '\u200b' : named(line));
  });
}

// named sets a header's name apart from its value.
function named(line) {
  const at = line.indexOf(':');
  return at > 0 ? [h('span', { class: 'name' }, line.slice(0, at + 1)), line.slice(at + 1)] : line;
}
