/** Tasks of one name in the order they came, one at a time; tasks of other names beside them. */
export interface Queues {
  inTurn<T>(name: string, task: () => Promise<T>): Promise<T>;
}

export function createQueues(): Queues {
  const last = new Map<string, Promise<unknown>>();
  return {
    inTurn(name, task) {
      const turn = (last.get(name) ?? Promise.resolve()).then(task, task);
      const settled = turn.then(
        () => undefined,
        () => undefined,
      );
      last.set(name, settled);
      void settled.then(() => {
        if (last.get(name) === settled) last.delete(name);
      });
      return turn;
    },
  };
}
