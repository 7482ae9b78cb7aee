/**
 * grammY's HTTP client loads Node's old `punycode`, and the runtime warns about that on stderr, where each line is a
 * log entry. Nobody here can do anything about it, so this one warning is left out. Imported before grammY.
 */
import process from "node:process";

const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;

process.emitWarning = ((...args: unknown[]) => {
  if (!args.includes("DEP0040")) emitWarning(...args);
}) as typeof process.emitWarning;
