import { describe, expect, it } from 'vitest';
import { createModel } from './models.ts';
import { appliesTo, lookUpRule } from './rule-book.ts';
import { Script } from './testing/run.ts';

describe('the rule book', () => {
  it('quotes both interfaces where none is named', () => {
    expect(lookUpRule('map-over-reserved')).toEqual({
      errno: 'EINVAL',
      message: 'The range is not inside one of the valid ranges of the container',
      source: 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_check_iova',
    });
    expect(lookUpRule('map-over-reserved', { api: 'iommufd' })).toMatchObject({
      message: 'Part of the range is reserved',
      source: 'Linux 6.12, iopt_check_iova',
    });
  });

  it('has no errno where the interfaces differ and none is named', () => {
    expect(lookUpRule('attach-region-over-mapping').errno).toBeUndefined();
    expect(lookUpRule('attach-region-over-mapping', { api: 'vfio' }).errno).toBe('EINVAL');
    expect(lookUpRule('attach-region-over-mapping', { api: 'iommufd' }).errno).toBe('EADDRINUSE');
    expect(lookUpRule('unmap-cuts-mapping', { api: 'vfio' }).errno).toBe('EINVAL');
    expect(lookUpRule('unmap-cuts-mapping', { api: 'iommufd' }).errno).toBe('ENOENT');
  });

  it('knows what an interface does not refuse', () => {
    expect(appliesTo('mapping-limit', 'vfio')).toBe(true);
    expect(appliesTo('mapping-limit', 'iommufd')).toBe(false);
    expect(appliesTo('unmap-nothing-mapped', 'vfio')).toBe(false);
    expect(appliesTo('attach-direct-region', 'iommufd')).toBe(true);
    expect(lookUpRule('mapping-limit', { api: 'iommufd' }).errno).toBe('ENOSPC');
  });

  it('tells the check of direct regions before Linux 6.6 from today’s, by log line or by version', () => {
    const old = 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement.';
    const today = 'Firmware has requested this device have a 1:1 IOMMU mapping, rejecting …';
    const subject = 'attach-direct-region';
    expect(lookUpRule(subject).errno).toBe('EINVAL');
    expect(lookUpRule(subject, { log: old })).toMatchObject({
      errno: 'EPERM',
      source: 'Linux before 6.6, intel_iommu_attach_device',
    });
    expect(lookUpRule(subject, { log: today, kernel: '6.1', driver: 'intel' }).errno).toBe('EINVAL');
    expect(lookUpRule(subject, { kernel: '6.1.0-18-amd64', driver: 'intel' }).errno).toBe('EPERM');
    expect(lookUpRule(subject, { kernel: '6.6', driver: 'intel' }).errno).toBe('EINVAL');
    expect(lookUpRule(subject, { kernel: '6.1', driver: 'amd' }).errno).toBe('EINVAL');
  });

  it('has no errno for what is only noticed', () => {
    expect(lookUpRule('firmware-region-check')).toMatchObject({
      errno: undefined,
      source: 'Linux 6.12, arch_rmrr_sanity_check',
    });
    expect(lookUpRule('group-not-viable').errno).toBe('EPERM');
  });

  it('says what the models answer', () => {
    const made = createModel({}, 'iommufd');
    if (!made.ok) throw new Error(made.message);
    const script = new Script(made.model);
    script.alloc();
    script.attach('nic', { aperture: [0n, 0xffff_ffffn], regions: [[0x8000n, 0x8fffn, 'msi']] });
    script.map(0n, 0x2000n, 0x2000n);
    const refusals = [
      script.map(0n, 0x1000n, 0x8000n),
      script.map(0n, 0x1000n, 0x1_0000_0000n),
      script.map(0n, 0x1000n, 0x2000n),
      script.map(0n, 0x800n, 0xa000n),
      script.unmap(0x2000n, 0x1000n),
    ].map((outcome) => (outcome.ok ? undefined : outcome.refusal));
    const subjects = [
      'map-over-reserved',
      'map-beyond-aperture',
      'map-over-mapping',
      'map-unaligned',
      'unmap-cuts-mapping',
    ] as const;
    for (const [i, subject] of subjects.entries()) {
      const { errno, message, source } = lookUpRule(subject, { api: 'iommufd' });
      // The book names the kernel that its entry follows, a model the one that it is.
      expect(refusals[i]).toMatchObject({ errno, message: expect.stringContaining(message) });
      expect(refusals[i]?.source).toBe(source.replace('Linux 6.12', 'Linux 7.3'));
    }
  });
});
