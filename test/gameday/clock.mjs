// How long it takes until a failure is seen: in requests and in seconds, from the injection on.

/** Begins to count. */
export function clockOf() {
  const began = performance.now();
  return {
    /**
     * Looks again and again until there is a sentence that says by what the failure is seen.
     * @param look  sends some requests, and looks
     * @returns the signal and after how much it came; null after so many looks
     */
    async until(look, client, most = 8) {
      const before = client.sent;
      for (let i = 0; i < most; i++) {
        const signal = await look();
        if (signal) return seenBy(signal, client.sent - before, began);
      }
      return null;
    },
    /** The signal came after so many requests. */
    seen: (signal, requests) => seenBy(signal, requests, began),
  };
}

const seenBy = (signal, requests, began) => ({ signal, requests, seconds: (performance.now() - began) / 1000 });
