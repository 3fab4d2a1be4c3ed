import { useState } from 'react';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { parseSize } from '../../iova/parse.ts';
import { useApp } from '../state/app-state.ts';
import { useAnswer } from '../state/use-answer.ts';
import { showRange } from '../state/view.ts';

interface Question {
  readonly device?: string | undefined;
  readonly bits: number;
  readonly size: bigint;
}

/** The question in the form, or what is wrong with it. */
function questionOf(size: string, bits: string, device: string): Question | string {
  const bytes = parseSize(size);
  if (!bytes.ok) return `Size: ${bytes.error.message}`;
  if (bytes.value === 0n || bytes.value >> 64n !== 0n) return 'Size: 1 to 2^64 − 1 bytes';
  const count = Number(bits.trim());
  if (!Number.isInteger(count) || count < 12 || count > 64) return 'Address bits: a number from 12 to 64';
  return { size: bytes.value, bits: count, device: device.trim() === '' ? undefined : device.trim() };
}

/** Where the kernel's own DMA API puts the next buffers of a device: for drivers of the host, not for guests. */
export function NextDma() {
  const selectedGroups = useApp((s) => s.selectedGroups);
  const documents = useApp((s) => s.documents);
  const kernel = useApp((s) => s.caseNode?.kernel?.version);
  const assigned = useApp((s) => s.caseNode?.device?.device);
  const [size, setSize] = useState('4K');
  const [bits, setBits] = useState('64');
  /** Undefined until one is entered: the device to assign counts then. */
  const [typed, setTyped] = useState<string>();
  const device = typed ?? assigned ?? '';
  const question = questionOf(size, bits, device);
  const params = typeof question === 'string' ? undefined : { ...question, selectedGroups };
  const { value: answers, error } = useAnswer('nextDma', params, documents, kernel);
  const field = (label: string, value: string, set: (text: string) => void, hint: string) => (
    <label>
      {label}{' '}
      <input value={value} placeholder={hint} onChange={(event) => set(event.target.value)} spellCheck={false} />
    </label>
  );
  return (
    <section aria-label="Next DMA addresses" className="next-dma" data-testid="next-dma">
      <h3>Next DMA addresses</h3>
      <p className="second">Where the kernel's DMA API puts the buffers of a host driver. Guests do not use it.</p>
      <form className="fit-form" onSubmit={(event) => event.preventDefault()}>
        {field('Buffer size', size, setSize, '4K')}
        {field('Address bits', bits, setBits, '64')}
        {field('Device', device, setTyped, 'any PCI device')}
      </form>
      {typeof question === 'string' && <p className="severity-error">{question}</p>}
      {typeof question !== 'string' && error && <p className="severity-error">{error.message}</p>}
      {typeof question !== 'string' && !error && answers && (
        <ul className="answers">
          {answers.map(({ space, addresses, steps, assumed }) => (
            <li key={space}>
              <p>
                <strong>{space}</strong>:{' '}
                {addresses.length === 0 && (
                  <span className="severity-error">no room for {formatSize(question.size)}</span>
                )}
                {addresses.map((address, i) => (
                  <span key={address.toString()}>
                    {i > 0 && ', then '}
                    <button
                      type="button"
                      className="link mono"
                      onClick={() => showRange(address, address + question.size - 1n)}
                    >
                      {groupedHex(address)}
                    </button>
                  </span>
                ))}
              </p>
              <ol className="allocator-steps">
                {steps.map((step, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: steps have no identity, and may repeat
                  <li key={i}>{step}</li>
                ))}
              </ol>
              {assumed.length > 0 && <p className="second">Assumed: {assumed.join('; ')}.</p>}
            </li>
          ))}
          {answers.length === 0 && <li className="hint">Neither groups nor an IOMMU are known: open a host's dump.</li>}
        </ul>
      )}
    </section>
  );
}
