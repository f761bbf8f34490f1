// What the page asks the server, and what the server tells by itself.

// ask sends a request and returns the answer's JSON. Without a session it goes to the login.
async function ask(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(path, init);
  if (answer.status === 401) {
    location.assign('/login');
    throw new Error('The session is over.');
  }
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const e = new Error(json.error ?? `The server answered ${answer.status}.`);
    e.status = answer.status;
    throw e;
  }
  return json;
}

export const get = (path) => ask('GET', path);
export const post = (path, body) => ask('POST', path, body);
export const del = (path) => ask('DELETE', path);

// query writes the parameters that have a value behind a path.
export function query(path, params) {
  const q = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== '' && v !== undefined && v !== null));
  return String(q) ? `${path}?${q}` : path;
}

// Live follows the server's events. While nobody looks at the page it is closed: then neither
// side does anything.
export class Live {
  #source = null;
  #topics = [];
  #handlers = {};
  #again = 0;
  #lost = false;
  #state;
  #refresh = () => {};

  // state is told 'live', 'waiting' or 'paused'.
  constructor(state) {
    this.#state = state;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) {
        this.#close();
        this.#state('paused');
      } else {
        this.#open();
        this.#refresh();
      }
    });
  }

  // follow listens to the topics from now on, each with its handler. refresh is called when
  // events may have been missed.
  follow(handlers, refresh) {
    this.#topics = Object.keys(handlers);
    this.#handlers = handlers;
    this.#refresh = refresh;
    if (!document.hidden) this.#open();
  }

  #close() {
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.#close();
    const source = new EventSource(query('/api/events', { topics: this.#topics.join(',') }));
    this.#source = source;
    source.onopen = () => {
      this.#state('live');
      if (this.#lost) this.#refresh();
      this.#lost = false;
    };
    source.onerror = () => {
      this.#lost = true;
      this.#state('waiting');
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      // Refused: perhaps the session is over, which the next request tells.
      this.#again = setTimeout(() => get('/api/overview').then(() => this.#open(), () => this.#retry()), 2000);
    };
    for (const topic of this.#topics) {
      const name = topic.split(':')[0];
      source.addEventListener(name, (e) => this.#handlers[topic]?.(JSON.parse(e.data)));
    }
  }

  #retry() {
    if (!document.hidden) this.#again = setTimeout(() => this.#open(), 3000);
  }
}
