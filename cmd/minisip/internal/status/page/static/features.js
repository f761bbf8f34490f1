// What a person would otherwise dial 985 to 996 for, as switches.

import { post } from './api.js';
import { h } from './dom.js';

const features = [
  ['re_contact', 'Contact', 'Put the phone\u2019s real address into Contact. Off, a call may not be hung up from the other side of a NAT.', '995, 996'],
  ['re_sdp', 'SDP', 'Put the relay\u2019s address into SDP, so that sound passes through minisip. Off, it goes from phone to phone. Counts for calls that begin from now on.', '993, 994'],
  ['re_via', 'Via', 'Send each answer to where its request came from, asked for or not. Off, a phone behind a NAT may hear nothing.', '991, 992'],
  ['duplicate', 'Copies', 'Never act twice on a message that the network has copied.', '987, 988'],
  ['silent', 'Silence', 'Give users who are not in the user file no answer at all. Off, they get the same challenge as everybody.', '985, 986'],
  ['debug', 'Debug log', 'Write whole messages into the log, before and after rewriting.', '989, 990'],
];

export function featuresView(app) {
  const switches = new Map();
  const el = h('section', { class: 'view' },
    h('div', { class: 'bar' }, h('h1', {}, 'Features')),
    h('div', { class: 'card features' }, features.map(([word, name, text, codes]) => {
      const button = h('button', {
        type: 'button', role: 'switch', 'aria-checked': 'false', 'aria-labelledby': `f-${word}`, 'aria-describedby': `d-${word}`, disabled: true,
        'data-word': word, onclick: () => set(word, button.getAttribute('aria-checked') !== 'true'),
      }, h('span', {}));
      switches.set(word, button);
      return h('div', { class: 'feature' },
        h('div', {}, h('h2', { id: `f-${word}` }, name, h('code', {}, word)), h('p', { id: `d-${word}` }, text),
          h('p', { class: 'muted' }, `The same by phone: ${codes.replace(', ', ' off, ')} on`)),
        button);
    })),
    h('p', { class: 'facts' }, 'A switch counts from the next message on, until minisip starts again.'));

  function show(f) {
    for (const [word, button] of switches) {
      button.setAttribute('aria-checked', String(Boolean(f?.[word])));
      button.disabled = !f;
    }
  }

  async function set(word, on) {
    try {
      const got = await post('/api/set', { word, on });
      if (app.overview) app.overview.features = got.features;
      show(got.features);
      app.say(`${word} is ${got.features[word] ? 'on' : 'off'}.`);
    } catch (e) {
      app.failed(e);
    }
  }
  return { title: 'Features', el, refresh: () => show(app.overview?.features), tick: (o) => show(o.features), events: {} };
}
