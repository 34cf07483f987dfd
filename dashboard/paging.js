// Pages of a list that the app gives one after the other: it tells only how to ask for the next one.

export class Pages {
  #asked = "";
  /** @type {{continuation: string, first: number}[]} */
  #trail = [{ continuation: "", first: 1 }];

  /** The page to ask for; the first one, where something else is asked for than before. @param {string} asked */
  at(asked) {
    if (asked !== this.#asked) {
      this.#asked = asked;
      this.#trail = this.#trail.slice(0, 1);
    }
    return this.#trail[this.#trail.length - 1];
  }

  get isFirst() {
    return this.#trail.length === 1;
  }

  /** @param {string} continuation @param {number} shown how many the page before had */
  next(continuation, shown) {
    const { first } = this.#trail[this.#trail.length - 1];
    this.#trail.push({ continuation, first: first + shown });
  }

  back() {
    if (!this.isFirst) this.#trail.pop();
  }
}
