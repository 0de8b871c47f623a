/**
 * The sentences of Markdown with more words than that: of paragraphs, lists and cells, without code, links' addresses and figures.
 * A colon or semicolon does not end a sentence.
 */
export function longSentences(markdown: string, words: number): string[] {
  const prose = markdown
    .replaceAll(/^```[\s\S]*?^```$/gm, '\n\n')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/^ {4}.*$/gm, '\n\n')
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`[^`\n]*`/g, 'code')
    .replaceAll('**', '');
  return prose
    .split(/\n\s*\n|^#+ |^\s*[-*] |^\s*\d+\. |\|/m)
    .flatMap((part) => part.split(/(?<=[.!?])\s+/))
    .map((sentence) => sentence.replaceAll(/\s+/g, ' ').trim())
    .filter((sentence) => sentence.split(' ').filter((word) => /\w/.test(word)).length > words);
}
