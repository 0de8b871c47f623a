import type { Shelf } from './shelf.ts';

/** Numbers about the signatures of models; none where they are not asked. */
export function trustGauges(shelf: Shelf) {
  if (!shelf.asksSignatures) return {};
  const all = shelf.all();
  const ends = all.flatMap(({ signed }) => signed?.expires ?? []);
  return {
    lr_models_untrusted: {
      help: 'Versions of models that answer though their signature is trusted no more.',
      value: all.filter((served) => shelf.doubt(served) !== null).length,
      of: 'most' as const,
    },
    ...(ends.length > 0 && {
      lr_signature_expiry_timestamp_seconds: {
        help: 'End of the signature that expires first, in seconds since 1970.',
        value: Math.min(...ends) / 1000,
        of: 'least' as const,
      },
    }),
  };
}
