import { describe, expect, test } from 'vitest';
import { diagnosticsOf, groupsOf, machinesOf, openText } from '../../testing/read.ts';

const read = async (text: string) => machinesOf(await openText(text));
const domain = (inner: string) =>
  `<domain type='kvm'>\n<name>g</name>\n<os><type arch='x86_64' machine='q35'>hvm</type></os>\n${inner}\n<devices><video><model type='qxl'/></video></devices>\n</domain>`;

describe('sizes', () => {
  test.each([
    ['<memory>1048576</memory>', '0x40000000'],
    ["<memory unit='KiB'>1048576</memory>", '0x40000000'],
    ["<memory unit='k'>1048576</memory>", '0x40000000'],
    ["<memory unit='MiB'>1024</memory>", '0x40000000'],
    ["<memory unit='G'>1</memory>", '0x40000000'],
    ["<memory unit='TiB'>1</memory>", '0x10000000000'],
    ["<memory unit='bytes'>1073741824</memory>", '0x40000000'],
    ["<memory unit='KB'>1000000</memory>", '0x3b9aca00'],
    ["<memory unit='MB'>1000</memory>", '0x3b9aca00'],
    ["<memory unit='GB'>1</memory>", '0x3b9aca00'],
    ["<memory unit='TB'>1</memory>", '0xe8d4a51000'],
    ["<memory\n  dumpCore='off'\n  unit='GiB'>1</memory>", '0x40000000'],
    ['<memory><![CDATA[1048576]]></memory>', '0x40000000'],
    ['<memory>&#49;048576</memory>', '0x40000000'],
  ])('%j', async (element, ram) => {
    expect(await read(domain(element))).toEqual([`g qemu q35 ${ram}:`]);
  });

  test('a unit that is none is said', async () => {
    const found = await openText(domain("<memory unit='furlong'>1</memory>"));
    expect(machinesOf(found)).toEqual(['g qemu q35 ?:']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-option-invalid 1', 'warning guest-ram-unknown 1']);
  });
});

describe('around and inside', () => {
  test.each<[string, (text: string) => string]>([
    ['as it is', (text) => text],
    ['in one line', (text) => text.replaceAll('\n', '')],
    ['quoted', (text) => text.replace(/^/gm, '> ')],
    ['quoted, with entities', (text) => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replace(/^/gm, '> ')],
    ['in a log', (text) => text.replace(/^/gm, 'Jan  3 12:00:01 elm virtqemud[17]: ')],
    ['behind a message', (text) => `2025-01-01 00:00:00.000 1 DEBUG nova xml=${text}`],
    ['with blanks at the ends of lines', (text) => text.replace(/$/gm, '  ')],
    ['with CR LF', (text) => text.replaceAll('\n', '\r\n')],
    ['with a declaration', (text) => `<?xml version="1.0" encoding="utf-8"?>\n${text}`],
    [
      'with a prefix',
      (text) => text.replace(/<(\/?)(?=\w)/g, '<$1lv:').replace('<lv:domain', "<lv:domain xmlns:lv='x'"),
    ],
    ['in a snapshot', (text) => `<domainsnapshot>\n<name>s</name>\n<state>shutoff</state>\n${text}\n</domainsnapshot>`],
    ['with comments', (text) => text.replaceAll('\n', '\n<!-- <memory>5</memory> -->\n')],
    ['with a comment whose end is alone on its line', (text) => text.replace('\n', '\n<!-- note\n-->\n')],
  ])('%s', async (_, wrap) => {
    const text = domain("<memory unit='GiB'>2</memory>\n<cpu mode='custom'><model>EPYC</model></cpu>");
    const { facts } = await openText(wrap(text));
    expect(facts.filter(({ kind }) => kind === 'machine')).toMatchObject([
      { name: 'g', machine: 'q35', ram: 0x8000_0000n, cpu: 'EPYC', vendor: 'amd', accelerator: 'kvm' },
    ]);
  });

  test('two guests, the first one cut', async () => {
    const text = domain("<memory unit='GiB'>2</memory>");
    const found = await openText(`${text.slice(0, 110)}\n${text}`);
    expect(machinesOf(found)).toEqual(['g qemu q35 ?:', 'g qemu q35 0x80000000:']);
    expect(diagnosticsOf(found)).toContain('warning guest-definition-cut 1');
  });

  test('a tag that lost its end costs that element only', async () => {
    const text = domain(
      "<memory unit='GiB'>2</memory>\n<cpu mode='host-passthrough'\n<maxMemory slots='2' unit='GiB'>4</maxMemory>",
    );
    const { facts } = await openText(text);
    expect(facts.find(({ kind }) => kind === 'machine')).toMatchObject({
      ram: 0x8000_0000n,
      slots: 2,
      max_ram: 0x1_0000_0000n,
    });
  });

  test('without a machine it is the default of libvirt', async () => {
    const found = await openText(
      "<domain type='kvm'>\n<name>d</name>\n<memory>1048576</memory>\n<os><type arch='aarch64'>hvm</type></os>\n</domain>",
    );
    expect(machinesOf(found)).toEqual(['d qemu virt 0x40000000:']);
    expect(diagnosticsOf(found)).toEqual(['info guest-machine-default 1']);
  });

  test('names in metadata are not the guest’s, and a password is nowhere', async () => {
    const { facts } = await openText(
      domain(
        "<metadata><a:name xmlns:a='x'>other</a:name></metadata><memory unit='GiB'>2</memory><devices><graphics type='vnc' passwd='hunter2'/></devices>",
      ),
    );
    expect(facts).toMatchObject([{ name: 'g' }]);
    expect(JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      'hunter2',
    );
  });

  test('entities that a document defines are not expanded', async () => {
    const entities = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "&e${i};&e${i};&e${i};&e${i};">`).join(
      '\n',
    );
    const text = `<?xml version="1.0"?>\n<!DOCTYPE domain [\n<!ENTITY e0 "x">\n${entities}\n]>\n${domain('<memory>1048576</memory><title>&e20;</title>').replace('<name>g<', '<name>&e20;<')}`;
    const found = await openText(text);
    expect(machinesOf(found)).toEqual(['&e20; qemu q35 0x40000000:']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-xml-doctype 25']);
  });
});

describe('elements', () => {
  test('devices of the host: hostdev, interfaces, not those of USB, not where the guest sees them', async () => {
    const address = (bus: string) =>
      `<source><address domain='0x0000' bus='${bus}' slot='0x00' function='0x0'/></source>`;
    expect(
      await read(
        domain(
          `<memory>1048576</memory><devices>
          <hostdev mode='subsystem' type='pci'>${address('0x01')}<address type='pci' bus='0x05' slot='0x01' function='0x0'/></hostdev>
          <interface type='hostdev'>${address('0x02')}</interface>
          <hostdev mode='subsystem' type='usb'>${address('0x03')}</hostdev>
          <interface type='bridge'><source bridge='br0'/></interface></devices>`,
        ),
      ),
    ).toEqual(['g qemu q35 0x40000000: 0000:01:00.0 0000:02:00.0']);
  });

  test('memory devices are part of what memory says', async () => {
    expect(
      await read(
        domain(
          "<memory unit='GiB'>6</memory><devices><memory model='virtio-mem'><target><size unit='GiB'>2</size></target></memory></devices>",
        ),
      ),
    ).toEqual(['g qemu q35 0x100000000:']);
  });

  test.each([
    ["<memoryBacking><hugepages/><source type='memfd'/></memoryBacking>", { backend: 'hugetlb' }],
    ["<memoryBacking><source type='memfd'/></memoryBacking>", { backend: 'memfd' }],
    ["<memoryBacking><source type='file'/></memoryBacking>", { backend: 'file' }],
    ["<devices><iommu model='virtio'/></devices>", { viommu: { kind: 'virtio' } }],
    ["<cpu mode='host-passthrough'/>", { cpu: 'host' }],
    ["<cpu mode='maximum'><maxphysaddr mode='emulate' bits='42'/></cpu>", { cpu: 'max', phys_bits: 42 }],
    ["<cpu mode='custom'><model>Haswell</model><vendor>AMD</vendor></cpu>", { vendor: 'amd' }],
    [
      "<devices><controller type='pci' model='pcie-root'><pcihole64 unit='GiB'>64</pcihole64></controller></devices>",
      { options: { 'pci-hole64-size': '67108864K' } },
    ],
    ["<maxMemory slots='8' unit='GiB'>16</maxMemory>", { slots: 8, max_ram: 0x4_0000_0000n }],
    [
      "<qemu:commandline><qemu:arg value='-global'/><qemu:arg value='q35-pcihost.pci-hole64-size=1T'/></qemu:commandline>",
      { options: { 'pci-hole64-size': '1T' } },
    ],
  ])('%s', async (element, fields) => {
    const { facts } = await openText(domain(`<memory>1048576</memory>${element}`));
    expect(facts.find(({ kind }) => kind === 'machine')).toMatchObject(fields);
  });

  test('a part of a domain: its devices, its end, one element', async () => {
    const hostdev = (bus: string) =>
      `<hostdev mode='subsystem' type='pci' managed='yes'>\n<source>\n<address domain='0x0000' bus='${bus}' slot='0x00' function='0x0'/>\n</source>\n</hostdev>`;
    const found = await openText(
      `${hostdev('0x0c')}\n${hostdev('0x0d')}\n</devices>\n<qemu:commandline>\n<qemu:arg value='-cpu'/>\n<qemu:arg value='host,host-phys-bits-limit=39'/>\n</qemu:commandline>\n</domain>`,
    );
    expect(machinesOf(found)).toEqual(['- qemu unknown ?: 0000:0c:00.0 0000:0d:00.0 host-phys-bits-limit=39']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-definition-cut 1', 'warning guest-ram-unknown 1']);
    expect(
      await read(
        "<memory unit='GiB'>2</memory>\n<os>\n<type arch='x86_64' machine='pc-q35-9.0'>hvm</type>\n</os>\n<devices>\n<iommu model='intel'/>\n</devices>\n</domain>",
      ),
    ).toEqual(['- qemu pc-q35-9.0 0x80000000:']);
  });

  test('other XML is left alone', async () => {
    const { facts } = await openText(
      '<network>\n<name>default</name>\n<memory>5</memory>\n<domain name="lab"/>\n</network>',
    );
    expect(facts.filter(({ kind }) => kind === 'machine').length).toBeLessThanOrEqual(1);
    const { facts: none } = await openText('<html><body><name>x</name></body></html>');
    expect(none.filter(({ kind }) => kind !== 'diagnostic')).toEqual([]);
  });
});

test('a node device: ids, class, driver, and the group with all its members', async () => {
  const found = await openText(
    `<device>\n<name>pci_0001_41_00_0</name>\n<driver><name>nvme</name></driver>\n<capability type='pci'>\n<class>0x010802</class>\n<domain>1</domain>\n<bus>65</bus>\n<slot>0</slot>\n<function>0</function>\n<product id='0xa80a'/>\n<vendor id='0x144d'>Samsung Electronics Co Ltd</vendor>\n<iommuGroup number='14'>\n<address domain='0x0001' bus='0x41' slot='0x00' function='0x0'/>\n<address domain='0x0001' bus='0x41' slot='0x00' function='0x1'/>\n</iommuGroup>\n</capability>\n</device>`,
  );
  expect(found.facts[0]).toMatchObject({
    kind: 'device',
    device: '0001:41:00.0',
    name: 'Samsung Electronics Co Ltd',
    class: 'Non-Volatile memory controller',
    ids: '144d:a80a',
    driver: 'nvme',
    group: '14',
  });
  expect(groupsOf(found)).toEqual(['14: 0001:41:00.0 0001:41:00.1']);
});

test('memory devices, the limit of locked memory, and that it is KubeVirt’s', async () => {
  const { facts } = await openText(
    `<domain type='kvm'><name>g</name><metadata><kubevirt xmlns='http://kubevirt.io'/></metadata><memory unit='GiB'>8</memory><maxMemory slots='4' unit='GiB'>16</maxMemory>
<memtune><hard_limit unit='GiB'>9</hard_limit></memtune><os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
<memory model='dimm'><target><size unit='GiB'>1</size></target><address type='dimm' slot='0' base='0x100000000'/></memory>
<memory model='virtio-mem'><target><size unit='GiB'>2</size><requested unit='GiB'>1</requested></target></memory>
<memory model='odd &lt;'><target><size unit='GiB'>1</size></target></memory>
</devices></domain>`,
  );
  expect(facts.find(({ kind }) => kind === 'machine')).toMatchObject({
    form: 'kubevirt',
    ram: 4n << 30n,
    max_ram: 16n << 30n,
    memlock: 9n << 30n,
    memory_devices: [
      { kind: 'dimm', size: 1n << 30n, address: 1n << 32n },
      { kind: 'virtio-mem', size: 2n << 30n, plugged: 1n << 30n },
      { kind: 'memory', size: 1n << 30n },
    ],
  });
});
