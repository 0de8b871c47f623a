/**
 * Removes secrets from command lines, queries and addresses: user and password of an address, values after `password=`, `token=` and the like,
 * keys of AWS, and bearer tokens. It finds only secrets of a known form; others must not be in a command line.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/:\/\/[^\s/@'"]*@/g, '://***@')
    .replace(NAMED, '$1***')
    .replace(/\b(Bearer\s+)[\w.~+/-]+=*/gi, '$1***')
    .replace(/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, '***');
}

const NAMED =
  /\b(\w*(?:password|passwd|pwd|secret|token|api_?key|access_?key|secret_?key|account_?key|signature|credentials?|sig)\s*=>?\s*["']?)[^\s"'&;,)]+/gi;
