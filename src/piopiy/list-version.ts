/** Tells whether the list of endpoints has changed between two looks at it, as far as this gateway's own changes go. */
export class ListVersion {
  #ended = 0;
  #underWay = 0;

  /** Another one after each change; undefined while one is under way. */
  get current(): number | undefined {
    return this.#underWay > 0 ? undefined : this.#ended;
  }

  /** Lets a change be known from now until it ends. */
  async during<T>(change: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await change;
    } finally {
      this.#underWay--;
      this.#ended++;
    }
  }
}
