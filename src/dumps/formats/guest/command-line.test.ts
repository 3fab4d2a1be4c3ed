import { describe, expect, test } from 'vitest';
import { diagnosticsOf, machinesOf, openText } from '../../testing/read.ts';

const read = async (text: string) => machinesOf(await openText(text));
const machine = async (text: string) => {
  const { facts } = await openText(text);
  return facts.find(({ kind }) => kind === 'machine');
};

describe('memory', () => {
  test.each([
    ['-m 16G', '0x400000000'],
    ['-m 16384', '0x400000000'],
    ['-m 16384M', '0x400000000'],
    ['-m size=16777216k,slots=4', '0x400000000'],
    ['-m 1.5g', '0x60000000'],
    ['-m 0x400', '0x40000000'],
    ['-m 4G -m 8G', '0x200000000'],
    ['--m 8G', '0x200000000'],
    ['', '0x8000000'],
  ])('%s', async (option, ram) => {
    expect(await read(`qemu-system-x86_64 -machine q35 ${option}`)).toEqual([`- qemu q35 ${ram}:`]);
  });

  test('maxmem, slots, and options that are given twice: the last wins, key by key', async () => {
    const found = await machine(
      'qemu-system-x86_64 -machine q35,max-ram-below-4g=1G -machine max-ram-below-4g=2G -m 4G,slots=2 -m maxmem=8G',
    );
    expect(found).toMatchObject({
      machine: 'q35',
      ram: 0x1_0000_0000n,
      max_ram: 0x2_0000_0000n,
      slots: 2,
      options: { 'max-ram-below-4g': '2G' },
    });
  });

  test.each([
    ['-object memory-backend-ram,id=m,size=1G', 'ram'],
    ['-object memory-backend-memfd,id=m,size=1G', 'memfd'],
    ['-object memory-backend-memfd,id=m,size=1G,hugetlb=on', 'hugetlb'],
    [`-object '{"qom-type":"memory-backend-memfd","id":"m","hugetlb":true,"size":1073741824}'`, 'hugetlb'],
    ['-object memory-backend-file,id=m,size=1G,mem-path=/dev/hugepages/x', 'hugetlb'],
    ['-object memory-backend-file,id=m,size=1G,mem-path=/data/ram', 'file'],
  ])('%s', async (option, backend) => {
    expect(await machine(`qemu-system-x86_64 -machine q35,memory-backend=m -m 1G ${option}`)).toMatchObject({
      backend,
    });
    expect(await machine(`qemu-system-x86_64 -machine q35 -m 1G ${option} -numa node,memdev=m`)).toMatchObject({
      backend,
    });
  });
});

describe('the CPU', () => {
  test.each([
    ['-cpu EPYC', { cpu: 'EPYC', vendor: 'amd' }],
    ['-cpu EPYC -enable-kvm', { cpu: 'EPYC', vendor: 'amd', accelerator: 'kvm' }],
    ['-cpu qemu64', { cpu: 'qemu64', vendor: 'amd' }],
    ['-cpu Skylake-Server-v4,+vmx,phys-bits=46', { cpu: 'Skylake-Server-v4', vendor: 'intel', phys_bits: 46 }],
    ['-cpu Haswell,vendor=AuthenticAMD', { vendor: 'amd' }],
    ['-cpu host,host-phys-bits-limit=40', { cpu: 'host', options: { 'host-phys-bits-limit': '40' } }],
  ])('%s', async (option, fields) => {
    expect(await machine(`qemu-system-x86_64 -machine q35 -m 1G ${option}`)).toMatchObject(fields);
  });

  test('of two the last counts, with all its keys', async () => {
    const found = await machine(
      'qemu-system-x86_64 -M q35 -m 1G -cpu EPYC,phys-bits=48,host-phys-bits-limit=40 -cpu Haswell',
    );
    expect(found).toMatchObject({ cpu: 'Haswell', vendor: 'intel', options: {} });
    expect(found).not.toHaveProperty('phys_bits');
  });

  test('with KVM a model that runs anywhere has no vendor of its own', async () => {
    expect(await machine('qemu-kvm -machine q35 -m 1G -cpu qemu64')).not.toHaveProperty('vendor');
    expect(await machine('qemu-kvm -machine q35 -m 1G -cpu host')).not.toHaveProperty('vendor');
  });
});

describe('devices', () => {
  test('by host, by path, as JSON, of old command lines, and their parent for mediated ones', async () => {
    expect(
      await read(
        [
          'qemu-system-x86_64 -M q35 -m 1G',
          '-device vfio-pci,host=01:00.0',
          '-device vfio-pci,sysfsdev=/sys/bus/pci/devices/0001:02:00.1',
          `-device '{"driver":"vfio-pci","host":"0000:03:00.0"}'`,
          '-device pci-assign,host=04:00.0',
          '-device vfio-pci,sysfsdev=/sys/devices/pci0000:00/0000:00:02.0/00000000-0000-4000-8000-000000000001',
        ].join(' '),
      ),
    ).toEqual(['- qemu q35 0x40000000: 0000:01:00.0 0001:02:00.1 0000:03:00.0 0000:04:00.0 0000:00:02.0']);
  });

  test.each([
    ['-device intel-iommu,intremap=on,aw-bits=48', { kind: 'intel', address_width: 48 }],
    ['-device amd-iommu', { kind: 'amd' }],
    ['-device virtio-iommu-pci,aw-bits=39', { kind: 'virtio', address_width: 39 }],
    ['-device arm-smmuv3,oas=44', { kind: 'smmu-v3', address_width: 44 }],
    ['-machine iommu=smmuv3', { kind: 'smmu-v3' }],
  ])('%s', async (option, viommu) => {
    expect(await machine(`qemu-system-aarch64 -machine virt -m 1G ${option}`)).toMatchObject({ viommu });
  });

  test('pci-hole64-size in all forms', async () => {
    for (const option of [
      '-global q35-pcihost.pci-hole64-size=64G',
      '-global driver=q35-pcihost,property=pci-hole64-size,value=64G',
    ]) {
      expect(await read(`qemu-system-x86_64 -M q35 -m 1G ${option}`)).toEqual([
        '- qemu q35 0x40000000: pci-hole64-size=64G',
      ]);
    }
  });

  test('no VGA adapter only where it is sure', async () => {
    const start = 'qemu-system-x86_64 -M q35 -m 1G';
    expect(await read(`${start} -vga none`)).toEqual(['- qemu q35 0x40000000: vga=none']);
    expect(await read(`${start} -nodefaults`)).toEqual(['- qemu q35 0x40000000: vga=none']);
    expect(await read(`${start} -nodefaults -device qxl-vga`)).toEqual(['- qemu q35 0x40000000:']);
    expect(await read(`${start} -nodefaults -device vfio-pci,host=01:00.0,x-vga=on`)).toEqual([
      '- qemu q35 0x40000000: 0000:01:00.0',
    ]);
    expect(await read(`${start} -nodefaults -device`)).toEqual(['- qemu q35 0x40000000:']);
  });
});

describe('where it is found', () => {
  test('continued lines, without a space before the backslash, with one option a line, more than are looked ahead', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `-drive file=/d${i},format=raw \\`).join('\n');
    expect(
      await read(`qemu-system-x86_64\\\n-machine q35\\\n${many}\n-m 2G \\\n-device vfio-pci,host=01:00.0\n\nrest`),
    ).toEqual(['- qemu q35 0x80000000: 0000:01:00.0']);
  });

  test('backslashes that a mail program lost', async () => {
    expect(await read('> qemu-system-x86_64 -M q35\n> -m 2G\n> -cpu host\n>\n> -m 4G')).toEqual([
      '- qemu q35 0x80000000:',
    ]);
  });

  test('lines that a mail program broke before their backslash', async () => {
    const text = [
      'qemu-system-x86_64 -name guest=a,debug-threads=on \\',
      '-machine pc-q35-7.2,usb=off,vmport=off,smm=on,dump-guest-core=off \\',
      '-object \'{"qom-type":"memory-backend-ram","id":"m", ',
      '"size":',
      "1073741824}' \\",
      '-device vfio-pci,host=0000:0b:00.0,id=hostdev0,bus=pci.5,addr=0x0',
      '-m',
      '1G \\',
      '-msg timestamp=on',
      'char device redirected to /dev/pts/3 (label charserial0)',
      '2025-03-14 08:19:02.010+0000: shutting down, reason=failed',
      '2025-03-14 08:19:02.010+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.15, kernel: 6.1, hostname: elm',
      'LC_ALL=C \\',
      '/usr/bin/qemu-system-x86_64 \\',
      '-name b -machine q35 -m 2G',
    ].join('\n');
    const found = await openText(text);
    expect(machinesOf(found)).toEqual(['a qemu pc-q35-7.2 0x40000000: 0000:0b:00.0', 'b qemu q35 0x80000000:']);
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('two guests in one log are two', async () => {
    expect(await read('qemu-system-x86_64 -name a -M q35 -m 1G\nqemu-system-x86_64 -name b -M pc -m 2G')).toEqual([
      'a qemu q35 0x40000000:',
      'b qemu pc 0x80000000:',
    ]);
  });

  test('the header of libvirt: host, kernel, version, and the command behind it', async () => {
    const { facts } = await openText(
      [
        '2025-01-02 03:04:05.678+0000: starting up libvirt version: 8.0.0, package: 1ubuntu7.4 (somebody), qemu version: 6.2.0Debian 1:6.2+dfsg-2ubuntu6.6, kernel: 5.15.0-60-generic, hostname: elm',
        'LC_ALL=C \\',
        '/usr/bin/qemu-system-x86_64 \\',
        '-machine pc-q35-jammy \\',
        '-m 1024',
      ].join('\n'),
    );
    expect(facts).toMatchObject([
      { kind: 'host', name: 'elm', kernel: '5.15.0-60-generic', line: 1 },
      { kind: 'machine', machine: 'pc-q35-jammy', version: '6.2.0', ram: 0x4000_0000n, line: 3 },
    ]);
  });

  test('the task log of Proxmox', async () => {
    const text =
      "TASK ERROR: start failed: command '/usr/bin/kvm -id 104 -name 'games,debug-threads=on' -m 2048 -device 'vfio-pci,host=0000:0a:00.0' -machine 'type=pc-q35-8.1+pve0'' failed: exit code 1";
    const found = await openText(text);
    expect(machinesOf(found)).toEqual(['games qemu pc-q35-8.1+pve0 0x80000000: 0000:0a:00.0']);
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('the arguments of a process, with NULs between them', async () => {
    const text = ['/usr/bin/qemu-system-x86_64', '-machine', 'q35', '-m', '1G', '-append', 'a b -m 2G', ''].join('\0');
    expect(await read(text)).toEqual(['- qemu q35 0x40000000:']);
  });

  test('variables of a script', async () => {
    const found = await openText(
      'RAM=4G\nDEV="03:00.0"\nqemu-system-x86_64 -M q35 -m $RAM -device vfio-pci,host=$DEV -m $MORE',
    );
    expect(machinesOf(found)).toEqual(['- qemu q35 0x100000000: 0000:03:00.0']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-option-unresolved 3']);
    const unknown = await openText('qemu-system-x86_64 -M $TYPE -m $RAM');
    expect(machinesOf(unknown)).toEqual([]);
    expect(diagnosticsOf(unknown)).toEqual(['error nothing-recognized -']);
    const part = await openText('qemu-system-x86_64 -M q35 -m $RAM');
    expect(machinesOf(part)).toEqual(['- qemu q35 ?:']);
    expect(diagnosticsOf(part)).toEqual(['warning guest-option-unresolved 1', 'warning guest-ram-unknown 1']);
  });

  test('defaults and ends of variables, and those that hold others', async () => {
    const found = await openText(
      [
        'GPU=0000:41:00.0 # the big one',
        'export OPTS="-M q35"',
        'OPTS+=" -device vfio-pci,host=$GPU"',
        'LOST="$UNKNOWN"',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
        'qemu-system-x86_64 $OPTS -m ${RAM:-4G} -device vfio-pci,host=${GPU%.0}.1 -name ${LOST-none} "$@"',
      ].join('\n'),
    );
    expect(machinesOf(found)).toEqual(['none qemu q35 0x100000000: 0000:41:00.0 0000:41:00.1']);
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('the arguments of a script at the end of a continued command', async () => {
    const found = await openText('qemu-system-x86_64 \\\n  -M q35 \\\n  -m 1G \\\n  "$@"\n');
    expect(machinesOf(found)).toEqual(['- qemu q35 0x40000000:']);
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('an array of a script, with comments in it', async () => {
    const array = [
      'args=( -enable-kvm',
      '  -m 8192 -machine q35',
      '  # -device vfio-pci,host=09:00.0',
      '  -device vfio-pci,host=03:00.0 # the card',
      ')',
      'args+=(-cpu EPYC)',
    ];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
    const found = await openText([...array, 'qemu-system-x86_64 "${args[@]}" -name a'].join('\n'));
    expect(machinesOf(found)).toEqual(['a qemu q35 0x200000000: 0000:03:00.0']);
    expect(found.facts.find(({ kind }) => kind === 'machine')).toMatchObject({ cpu: 'EPYC', accelerator: 'kvm' });
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('variables of a systemd unit', async () => {
    const unit = [
      '[Service]',
      'Environment=MEM=16G "GPU=0000:0b:00.0"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a unit's
      'ExecStart=/usr/bin/qemu-system-x86_64 -M q35 -m ${MEM} \\',
      '    -device vfio-pci,host=$GPU',
    ];
    expect(await read(unit.join('\n'))).toEqual(['- qemu q35 0x400000000: 0000:0b:00.0']);
  });

  test('JSON as the list of processes shows it, without quotation marks around it', async () => {
    const found = await machine(
      'root 4242 1.0 /usr/bin/qemu-system-x86_64 -M q35,memory-backend=m -m 1G -object {"qom-type":"memory-backend-file","id":"m","mem-path":"/dev/hugepages/my guest","size":1073741824} -device {"driver":"vfio-pci","host":"0000:0b:00.0"} -name a',
    );
    expect(found).toMatchObject({ name: 'a', backend: 'hugetlb', assigned: ['0000:0b:00.0'] });
  });

  test('of JSON that is cut, what is whole', async () => {
    const found = await openText(
      `qemu-system-x86_64 \\\n-M q35 \\\n-m 1G \\\n-device '{"driver":"vfio-pci","host":"0000:65:00.0","id":"hostdev0","bus":"pci.`,
    );
    expect(machinesOf(found)).toEqual(['- qemu q35 0x40000000: 0000:65:00.0']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-definition-cut 1']);
  });

  test('a command that lost its beginning', async () => {
    const found = await openText(
      '-machine pc-q35-6.2,usb=off \\\n-accel kvm \\\n-cpu host \\\n-m 16384 \\\n-device vfio-pci,host=0c:00.0 \\\n-msg timestamp=on\n',
    );
    expect(machinesOf(found)).toEqual(['- qemu pc-q35-6.2 0x400000000: 0000:0c:00.0']);
    expect(diagnosticsOf(found)).toEqual(['warning guest-definition-cut 1']);
    expect(await read('-m 4 \\\n-cpu fast \\\n-smp 2')).toEqual([]);
  });

  test.each([
    '2026-02-01T10:11:13.000000Z qemu-system-x86_64: -device vfio-pci,host=0000:65:00.0: VFIO_MAP_DMA failed: Invalid argument',
    'kvm: -device vfio-pci,host=0000:65:00.0: vfio 0000:65:00.0: group 2 is not viable',
    '-device vfio-pci,host=0000:66:00.0: vfio 0000:66:00.0: no iommu_group found',
  ])('the error below a command is no part of it: %s', async (error) => {
    const command = 'qemu-system-x86_64 \\\n-name one \\\n-M q35 \\\n-m 1G \\\n-device vfio-pci,host=0000:65:00.0';
    const found = await openText(`${command}\n${error}`);
    expect(machinesOf(found)).toEqual(['one qemu q35 0x40000000: 0000:65:00.0']);
    expect(diagnosticsOf(found).filter((text) => text.includes(' guest-'))).toEqual([]);
  });

  test('kvm is a program only where it is no value', async () => {
    expect(await read('opts -machine q35,accel=kvm -m 4096M')).toEqual([]);
    expect(await read('$ virt-install --virt-type kvm --name g1 --memory 8192 --machine q35')).toEqual([]);
    expect(await read('$ kvm -m 4096M -machine q35')).toEqual(['- qemu q35 0x100000000:']);
  });

  test('Kata, as Go and Rust log it', async () => {
    const go =
      'time="2026-01-02T03:04:05Z" level=info msg="launching /usr/bin/qemu-system-x86_64 with: [-name sandbox-9a -machine q35,accel=kvm -m 4096M -device {\\"driver\\":\\"vfio-pci\\",\\"host\\":\\"0002:01:00.0\\"} -vga none]" source=qemu';
    const rust =
      '{"msg":"qemu cmd: \\"/opt/kata/bin/qemu-system-x86_64\\" \\"-name\\" \\"sandbox-77\\" \\"-machine\\" \\"q35,accel=kvm\\" \\"-m\\" \\"2048M\\" \\"-device\\" \\"vfio-pci,host=0000:b1:00.0\\"","level":"INFO"}';
    expect(await read(go)).toEqual(['sandbox-9a qemu q35 0x100000000: 0002:01:00.0 vga=none']);
    expect(await read(rust)).toEqual(['sandbox-77 qemu q35 0x80000000: 0000:b1:00.0']);
    expect(await machine(rust)).toMatchObject({ form: 'kata' });
  });

  test('errors of QEMU, packages and options alone are no guests', async () => {
    for (const text of [
      'qemu-system-x86_64: -device vfio-pci,host=01:00.0: vfio 0000:01:00.0: group 1 is not viable',
      'apt install qemu-system-x86 qemu-kvm - full virtualization',
      'modprobe kvm -v',
      'qemu-system-x86_64 --version',
      '-m 16G',
      'kvm -r something',
    ]) {
      expect(machinesOf(await openText(text))).toEqual([]);
    }
  });
});

describe('what is not understood is said', () => {
  test.each([
    ['-machine q35,frobnicate=on', 'info guest-option-unknown 1'],
    ['-machine q35,sgx-epc.0.memdev=e', 'warning guest-option-not-modelled 1'],
    ['-machine q35,max-ram-below-4g=lots', 'warning guest-option-invalid 1'],
    ['-machine q35 -m 4GiB', 'warning guest-option-invalid 1'],
    ['-machine q35 -cpu host,phys-bits=wide', 'warning guest-option-invalid 1'],
    ['-machine q35 -device vfio-pci,host=gpu', 'info guest-device-unresolved 1'],
    ['-machine q35 -device pc-dimm,memdev=d', 'warning guest-option-not-modelled 1'],
    ['-machine q35 -readconfig my.cfg', 'info guest-option-elsewhere 1'],
    ['-machine q35 -device', 'warning guest-definition-cut 1'],
    ["-machine q35 -name 'open", 'warning guest-definition-cut 1'],
    ['-machine q35 -device vfio-pci,host=01:00.0 …', 'warning guest-definition-cut 1'],
    ['-global q35-pcihost.frob=1 -machine q35', 'info guest-option-unknown 1'],
    ['-smp 2', 'info guest-machine-default 1'],
  ])('%s', async (options, diagnostic) => {
    expect(diagnosticsOf(await openText(`qemu-system-x86_64 -m 1G ${options}`))).toContain(diagnostic);
  });

  test('ordinary options of libvirt and Proxmox are not', async () => {
    const found = await openText(
      'qemu-kvm -name guest=a -machine pc-q35-7.2,accel=kvm,usb=off,vmport=off,smm=on,dump-guest-core=off,kernel_irqchip=split,mem-merge=off,pflash0=x,hpet=off,acpi=on,nvdimm=on,hmat=on -m 1G -global ICH9-LPC.disable_s3=1 -global kvm-pit.lost_tick_policy=delay -global driver=cfi.pflash01,property=secure,value=on -readconfig /usr/share/qemu-server/pve-q35-4.0.cfg',
    );
    expect(diagnosticsOf(found)).toEqual([]);
  });

  test('no secret gets into a fact', async () => {
    const { facts } = await openText(
      'qemu-system-x86_64 -M q35 -m 1G -object secret,id=s,data=hunter2 -spice password=hunter2 -append "token=hunter2"',
    );
    expect(JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      'hunter2',
    );
  });
});

describe('other monitors', () => {
  test('cloud-hypervisor', async () => {
    expect(
      await read(
        'cloud-hypervisor --memory size=0 --memory-zone id=a,size=1G id=b,size=2G --device path=/sys/bus/pci/devices/0000:01:00.0 path=/sys/bus/pci/devices/0000:02:00.0/',
      ),
    ).toEqual(['- cloud-hypervisor cloud-hypervisor 0xc0000000: 0000:01:00.0 0000:02:00.0']);
    expect(await read('cloud-hypervisor --kernel vmlinux')).toEqual([
      '- cloud-hypervisor cloud-hypervisor 0x20000000:',
    ]);
  });

  test('crosvm', async () => {
    expect(await read('crosvm run -m 2048 --vfio=/sys/bus/pci/devices/0000:01:00.0 kernel')).toEqual([
      '- crosvm crosvm 0x80000000: 0000:01:00.0',
    ]);
    expect(await read('crosvm run --mem size=512 kernel')).toEqual(['- crosvm crosvm 0x20000000:']);
    expect(await read('crosvm stop -m 2048')).toEqual([]);
    expect(
      await read('crosvm --log-level debug run -m=1024 --vfio /sys/bus/pci/devices/0000:00:14.3,iommu=viommu vmlinux'),
    ).toEqual(['- crosvm crosvm 0x40000000: 0000:00:14.3']);
    expect(diagnosticsOf(await openText('crosvm run -m=1024 vmlinux'))).toEqual([]);
  });
});

describe('who made it, and when', () => {
  const WORDS = 'qemu-system-x86_64 -machine q35 -m 1G';

  test.each([
    [WORDS, 'qemu'],
    [`${WORDS} -name guest=vm,debug-threads=on`, 'libvirt'],
    [`${WORDS} -object secret,id=m,file=/var/lib/libvirt/qemu/domain-1-vm/key`, 'libvirt'],
    [`/usr/bin/kvm -id 100 -name vm -pidfile /var/run/qemu-server/100.pid -m 1024 -machine q35`, 'proxmox'],
    ["/usr/bin/kvm -id 100 -m 1024 -machine 'type=pc+pve0'", 'proxmox'],
    ['cloud-hypervisor --memory size=1G', 'cloud-hypervisor'],
  ])('%s', async (text, form) => {
    expect(await machine(text)).toMatchObject({ form });
  });

  test('the header of a log says when the guest below it was started', async () => {
    const log = (time: string) =>
      `${time}: starting up libvirt version: 9.0.0, qemu version: 7.2.9, kernel: 6.1.0, hostname: rowan\n${WORDS}\n`;
    expect(await machine(log('2026-03-01 12:00:00.123+0000'))).toMatchObject({
      form: 'libvirt',
      version: '7.2.9',
      started: '2026-03-01T12:00:00Z',
    });
    expect(await machine(log('2026-03-01 12:00:00.123+0230'))).toMatchObject({ started: '2026-03-01T12:00:00+02:30' });
  });
});

describe('memory devices', () => {
  test('have the size of their backend, and their address', async () => {
    expect(
      await machine(
        `qemu-system-x86_64 -machine q35 -m 4G,slots=4,maxmem=16G -device pc-dimm,memdev=d0 -object memory-backend-ram,id=d0,size=1G -object '{"qom-type":"memory-backend-ram","id":"v0","size":2147483648}' -device '{"driver":"virtio-mem-pci","memdev":"v0","requested-size":1073741824,"memaddr":8589934592}' -device nvdimm,memdev=none`,
      ),
    ).toMatchObject({
      memory_devices: [
        { kind: 'dimm', size: 1n << 30n },
        { kind: 'virtio-mem', size: 2n << 30n, address: 8n << 30n, plugged: 1n << 30n },
      ],
    });
  });
});
