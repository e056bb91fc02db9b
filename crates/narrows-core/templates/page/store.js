/* The state of the page in one place: parts subscribe, and are told once what has changed. */

export class Store {
  constructor(state) {
    this.state = state;
    this.listeners = [];
    this.pending = null;
  }

  /* Calls `listener(state, changed)` after changes of any of `keys`; `changed` is the set of all changed keys. */
  on(keys, listener) {
    this.listeners.push({ keys, listener });
  }

  /* Changes some values. Listeners run before the next frame, once for all changes until then. */
  set(patch) {
    const changed = Object.keys(patch).filter(key => this.state[key] !== patch[key]);
    if (changed.length === 0) return;
    Object.assign(this.state, patch);
    if (this.pending === null) {
      this.pending = new Set();
      queueMicrotask(() => this.tell());
    }
    changed.forEach(key => this.pending.add(key));
  }

  tell() {
    const changed = this.pending;
    this.pending = null;
    for (const { keys, listener } of this.listeners) {
      if (keys.some(key => changed.has(key))) listener(this.state, changed);
    }
  }
}
