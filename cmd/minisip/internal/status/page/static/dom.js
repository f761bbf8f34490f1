// Elements and words. Text only ever goes in as text: nothing here, or anywhere else on the
// page, makes elements out of strings.

const SVG = 'http://www.w3.org/2000/svg';

function fill(el, attrs, children) {
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? '' : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

// h makes an element: h('a', {class: 'name', href: '#/'}, 'text', child, ...).
export const h = (tag, attrs, ...children) => fill(document.createElement(tag), attrs, children);

// s makes an element of SVG.
export const s = (tag, attrs, ...children) => fill(document.createElementNS(SVG, tag), attrs, children);

// put replaces what is in an element, unless it is the same text.
export function put(el, ...children) {
  if (children.length === 1 && typeof children[0] === 'string') {
    if (el.textContent !== children[0]) el.textContent = children[0];
    return;
  }
  el.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
}

// keyed makes the children of el those of items, in order. A child stays as long as its item
// says the same, so that the focus, a selection and the place of the page stay too.
export function keyed(el, items, key, make) {
  const old = new Map();
  for (const child of [...el.children]) {
    if (old.has(child.dataset.key)) child.remove(); // two items had one key
    else old.set(child.dataset.key, child);
  }
  let at = el.firstElementChild;
  for (const item of items) {
    const k = String(key(item)), is = JSON.stringify(item);
    let child = old.get(k);
    old.delete(k);
    if (!child || child.is !== is) {
      const fresh = make(item);
      fresh.dataset.key = k;
      fresh.is = is;
      if (child) {
        const focused = focusWithin(child);
        if (child === at) at = fresh;
        child.replaceWith(fresh);
        focusAgain(fresh, focused);
      }
      child = fresh;
    }
    if (child === at) at = at.nextElementSibling;
    else el.insertBefore(child, at);
  }
  for (const child of old.values()) child.remove();
}

// focusWithin says which of the links and buttons in el has the focus; -1: none.
const stops = (el) => [...el.querySelectorAll('a, button')];
const focusWithin = (el) => stops(el).indexOf(document.activeElement);
const focusAgain = (el, i) => i >= 0 && stops(el)[i]?.focus({ preventScroll: true });

const two = (n) => String(n).padStart(2, '0');

// clock is a time of day; with the day, where it is not today.
export function clock(time, ms) {
  const t = new Date(time);
  let text = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  if (ms) text += '.' + String(t.getMilliseconds()).padStart(3, '0');
  const today = new Date().toDateString() === t.toDateString();
  return today ? text : `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${text}`;
}

// length is how long something took, as a phone shows it: 0:42, 1:03:07.
export function length(seconds) {
  const n = Math.max(0, Math.floor(seconds));
  const min = Math.floor(n / 60) % 60, hours = Math.floor(n / 3600);
  return hours ? `${hours}:${two(min)}:${two(n % 60)}` : `${min}:${two(n % 60)}`;
}

// span is a rough length in words: 42 s, 7 min, 3 h 5 min, 12 d 4 h.
export function span(seconds) {
  const n = Math.max(0, Math.round(seconds));
  if (n < 120) return `${n} s`;
  const min = Math.floor(n / 60), hours = Math.floor(n / 3600), days = Math.floor(n / 86400);
  if (hours < 1) return `${min} min`;
  if (days < 1) return min % 60 ? `${hours} h ${min % 60} min` : `${hours} h`;
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

// count writes a number with thin spaces between thousands.
export const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u2009');

// fixed writes a number with so many digits behind the point.
export const fixed = (n, digits) => (n ?? 0).toFixed(digits);

// later runs f once things have been quiet for ms.
function later(ms, f) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(f, ms, ...args);
  };
}

// armed is a button that wants to be pressed twice: what it does cannot be taken back.
export function armed(label, sure, act) {
  let timer;
  const rest = () => {
    clearTimeout(timer);
    button.classList.remove('sure');
    put(button, label);
  };
  const button = h('button', {
    type: 'button', class: 'danger', onblur: rest,
    onclick: () => {
      if (button.classList.contains('sure')) {
        rest();
        act();
        return;
      }
      button.classList.add('sure');
      put(button, sure);
      timer = setTimeout(rest, 5000);
    },
  }, label);
  return button;
}

// searchBox is a field for what to look for.
export function searchBox(label, value, change) {
  const input = h('input', { type: 'search', placeholder: label, 'aria-label': label, value, spellcheck: 'false', autocomplete: 'off' });
  input.addEventListener('input', later(200, () => change(input.value.trim())));
  return input;
}

// empty tells what to do where there is nothing yet.
export const empty = (title, ...rest) => h('div', { class: 'empty' }, h('h2', {}, title), rest);
