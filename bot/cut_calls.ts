/** Lets the end of the process cut calls to the Bot API. */
import type { Transformer } from "grammy";

export function cutCalls(cut: AbortSignal): Transformer {
  return (prev, method, payload, own) => {
    const signal = own ? AbortSignal.any([own as AbortSignal, cut]) : cut;
    // grammY's signal type is that of an older polyfill with the same three members.
    return prev(method, payload, signal as typeof own);
  };
}
