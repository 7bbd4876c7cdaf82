/** Waiting on a condition, never on time: asks until the answer is yes; what throws meanwhile counts as no. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, patience = 45_000): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return;
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
