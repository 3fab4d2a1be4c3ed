// Buffers of the kernel's UAPI for the page.
import { decodeBuffer, UAPI_STRUCTURES } from '../../uapi/decode-buffer.ts';
import { readHexDump } from '../../uapi/hex/hex-dump.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { DecodedBuffer } from '../protocol/answers.ts';
import type { Value } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

/** Room for every capability of a container: GET_INFO then answers with all of them. */
const ARGSZ = 1 << 20;

/** The structures that a buffer can be decoded as. */
export function structures(): EngineResult<Value<'structures'>> {
  return success(UAPI_STRUCTURES.map(({ name, title }) => ({ name, title })));
}

/** Reads a hex dump in any form and decodes it, as the named structure or as the one that matches. */
export function decodeText(text: string, struct?: string): EngineResult<DecodedBuffer> {
  const { bytes, problems } = readHexDump(text);
  const result = decodeBuffer(bytes, struct === undefined ? {} : { struct });
  if (!result.ok) {
    const first = problems[0];
    const place = first ? `line ${first.line}, column ${first.column}: ${first.message}. ` : '';
    return failure('unusable', `${place}${result.error.message}.`);
  }
  const { structure, root, ranges, rangesAre, pageSizes } = result.decoded;
  return success({ bytes, structure, root, problems, ranges, rangesAre, pageSizes });
}

/** What VFIO_IOMMU_GET_INFO would answer for a container at the document's position. */
export function getInfo(document: EngineDocument, container: string): EngineResult<string> {
  const model = document.states?.modelAt(document.position);
  const outcome = model?.apply({ op: 'container.get_info', container, argsz: ARGSZ }, document.position);
  if (outcome?.ok && outcome.answer.hex !== undefined) return success(outcome.answer.hex);
  const why =
    !outcome || outcome.ok
      ? 'the model does not support this call'
      : (outcome.refusal?.message ?? outcome.invalid?.message);
  return failure('unusable', `GET_INFO of ${container}: ${why}`);
}
