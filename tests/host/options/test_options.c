/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hv/errno.h>
#include <hv/log.h>
#include <hv/options.h>

#define MIB (1UL << 20)
#define GIB (1UL << 30)

static void check_dom0_mem(const char *text, u64 available, u64 bytes, u64 reservation)
{
	struct dom0_memory option;
	u64 max;

	assert_int_equal(option_dom0_mem(text, &option), 0);
	assert_int_equal(dom0_memory_bytes(&option, available, &max), bytes);
	assert_int_equal(max, reservation);
}

static void test_dom0_mem(void **state)
{
	static const char *const bad[] = { "", "x", "min:", "max:1Q", "1G,,2G", "100%", "1G+", "1G+5", "%", "mid:1G",
					   "1G+100%", "--1G", "1G%" };
	struct dom0_memory option = { .plain = { .set = false } };
	u64 max;

	(void)state;
	check_dom0_mem("512M,max:1G", 4 * GIB, 512 * MIB, GIB);
	check_dom0_mem("1G", 4 * GIB, GIB, UINT64_MAX);
	check_dom0_mem("8G", 4 * GIB, 4 * GIB, UINT64_MAX);
	check_dom0_mem("-512M", 4 * GIB, 4 * GIB - 512 * MIB, UINT64_MAX);
	check_dom0_mem("-8G", 4 * GIB, 0, UINT64_MAX);
	check_dom0_mem("-8G,min:256M", 4 * GIB, 256 * MIB, UINT64_MAX);
	check_dom0_mem("min:3G,max:2G", 4 * GIB, 2 * GIB, 2 * GIB);
	check_dom0_mem("max:16G", 4 * GIB, 4 * GIB - 128 * MIB, 16 * GIB);
	check_dom0_mem("1G+25%", 256 * GIB, 65 * GIB, UINT64_MAX);
	check_dom0_mem("50%", 4 * GIB, 2 * GIB, UINT64_MAX);
	check_dom0_mem("5000", GIB, 5000 * 1024 & PAGE_MASK, UINT64_MAX);
	check_dom0_mem("16777215T+99%", 4 * GIB, 4 * GIB, UINT64_MAX);
	/* Nothing said: all but 1/16, or 128 MiB. */
	assert_int_equal(dom0_memory_bytes(&option, GIB, &max), GIB - 64 * MIB);
	assert_int_equal(dom0_memory_bytes(&option, 16 * GIB, &max), 16 * GIB - 128 * MIB);
	option.plain.bytes = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(option_dom0_mem(bad[i], &option), -EINVAL);
	assert_int_equal(option.plain.bytes, 77);
}

static void test_dom0_vcpus(void **state)
{
	static const char *const bad[] = { "", "-", "0", "8-4", "x", "4-x", "4x", "4294967296", "0-3", "-0" };
	struct dom0_vcpus option;

	(void)state;
	assert_int_equal(option_dom0_max_vcpus("4-8", &option), 0);
	assert_int_equal(dom0_vcpus_count(&option, 2, 128), 4);
	assert_int_equal(dom0_vcpus_count(&option, 6, 128), 6);
	assert_int_equal(dom0_vcpus_count(&option, 10, 128), 8);
	assert_int_equal(option_dom0_max_vcpus("3", &option), 0);
	assert_int_equal(dom0_vcpus_count(&option, 10, 128), 3);
	assert_int_equal(option_dom0_max_vcpus("4-", &option), 0);
	assert_int_equal(dom0_vcpus_count(&option, 200, 128), 128);
	assert_int_equal(option_dom0_max_vcpus("-4", &option), 0);
	assert_int_equal(dom0_vcpus_count(&option, 1, 128), 1);
	assert_int_equal(dom0_vcpus_count(&option, 200, 128), 4);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(option_dom0_max_vcpus(bad[i], &option), -EINVAL);
}

static void test_uart(void **state)
{
	static const char *const bad[] = { "115200,9n1", "115200,8x1", "115200,8n3", "115200,8n1,0", "x", "115200,8n",
					   "115200,8n1,0x3f8,256", "115200,8n1,pci,4,1:2", "1,2,3,4,5,6,7",
					   "baud=", "reg-width=2", "what=1", "port=100:0.0", "reg-shift=5",
					   "115200/0", "115200,8n1,0x3f8,4,0:0.0,0:1f.7,1" };
	struct uart_option u;

	(void)state;
	uart_option_default(&u, 0);
	assert_int_equal(option_uart("115200,8n1", &u), 0);
	assert_int_equal(u.baud, 115200);
	assert_int_equal(u.io_base, 0x3f8);
	assert_int_equal(u.irq, 4);
	assert_int_equal(option_uart("38400/921600,7e2,0x2f8,0,1:1f.7,0:1.0", &u), 0);
	assert_int_equal(u.clock_hz, 921600 * 16);
	assert_int_equal(u.data_bits, 7);
	assert_int_equal(u.parity, 'e');
	assert_int_equal(u.stop_bits, 2);
	assert_int_equal(u.io_base, 0x2f8);
	assert_int_equal(u.irq, UART_IRQ_POLL);
	assert_int_equal(u.port_bdf, 0x1ff);
	assert_int_equal(u.bridge_bdf, 8);
	uart_option_default(&u, 1);
	assert_int_equal(option_uart("auto,,pci,msi", &u), 0);
	assert_int_equal(u.baud, 0);
	assert_int_equal(u.where, UART_PCI);
	assert_int_equal(u.irq, UART_IRQ_MSI);
	assert_int_equal(u.data_bits, 8);
	assert_int_equal(option_uart("115200,8n1,amt", &u), 0);
	assert_int_equal(u.where, UART_AMT);
	assert_int_equal(option_uart("115200,8n1,0x3f8,4,reg-width=4,reg-shift=2", &u), 0);
	assert_int_equal(u.where, UART_IO_PORT);
	assert_int_equal(u.reg_width, 4);
	assert_int_equal(u.reg_shift, 2);
	assert_int_equal(option_uart("baud=9600,parity=m,stop-bits=2,io-base=0xfe030000,data-bits=5,clock-hz=3000000,"
				     "dev=pci,irq=7,port=0:16.3,bridge=0:2.1", &u), 0);
	assert_int_equal(u.baud, 9600);
	assert_int_equal(u.parity, 'm');
	assert_int_equal(u.stop_bits, 2);
	assert_int_equal(u.io_base, 0xfe030000);
	assert_int_equal(u.data_bits, 5);
	assert_int_equal(u.clock_hz, 48000000);
	assert_int_equal(u.where, UART_PCI);
	assert_int_equal(u.port_bdf, UART_BDF(0, 0x16, 3));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct uart_option before = u;

		assert_int_equal(option_uart(bad[i], &u), -EINVAL);
		assert_memory_equal(&before, &u, sizeof(u));
	}
}

static void test_console(void **state)
{
	struct console_option c = { .vga = false };
	bool unsupported;

	(void)state;
	assert_int_equal(option_console("com1H,vga,com2", &c, &unsupported), 0);
	assert_true(c.vga && c.com[0] && c.com[1] && !c.pv && !unsupported);
	assert_int_equal(c.share[0], CONSOLE_SHARE_HIGH);
	assert_int_equal(c.share[1], CONSOLE_SHARE_NONE);
	assert_int_equal(option_console("none", &c, &unsupported), 0);
	assert_false(c.vga || c.com[0] || c.com[1]);
	assert_int_equal(option_console("com2L,ehci0", &c, &unsupported), 0);
	assert_true(c.com[1] && unsupported);
	assert_int_equal(c.share[1], CONSOLE_SHARE_LOW);
	assert_int_equal(option_console("com3", &c, &unsupported), -EINVAL);
	assert_int_equal(option_console("com", &c, &unsupported), -EINVAL);
	assert_int_equal(option_console("com1X", &c, &unsupported), -EINVAL);
	assert_int_equal(option_console("", &c, &unsupported), -EINVAL);
	assert_int_equal(option_console("vga,", &c, &unsupported), 0);
}

static void test_loglvl(void **state)
{
	static const char *const bad[] = { "", "warn", "none/", "/all", "error/x", "all/none/none" };
	struct log_threshold t;

	(void)state;
	assert_int_equal(option_loglvl("none/warning", &t), 0);
	assert_int_equal(t.always, LOG_THRESHOLD_NONE);
	assert_int_equal(t.limited, LOG_WARNING);
	assert_int_equal(option_loglvl("all", &t), 0);
	assert_int_equal(t.always, LOG_DEBUG);
	assert_int_equal(option_loglvl("info/error", &t), 0);
	assert_int_equal(t.always, LOG_INFO);
	assert_int_equal(t.limited, LOG_INFO);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(option_loglvl(bad[i], &t), -EINVAL);
}

static void test_vga_conswitch(void **state)
{
	struct vga_option v;
	struct conswitch_option c;

	(void)state;
	assert_int_equal(option_vga("gfx-1024x768x32,keep", &v), 0);
	assert_true(v.mode == VGA_MODE_GFX && v.width == 1024 && v.height == 768 && v.depth == 32 && v.keep);
	assert_int_equal(option_vga("text-80x50", &v), 0);
	assert_true(v.mode == VGA_MODE_TEXT && v.rows == 50 && !v.keep);
	assert_int_equal(option_vga("mode-31b", &v), 0);
	assert_true(v.mode == VGA_MODE_NUMBER && v.number == 0x31b);
	assert_int_equal(option_vga("current", &v), 0);
	assert_int_equal(option_vga("keep", &v), 0);
	assert_true(v.mode == VGA_MODE_DEFAULT && v.keep);
	assert_int_equal(option_vga("text-80x51", &v), -EINVAL);
	assert_int_equal(option_vga("gfx-1024x768", &v), -EINVAL);
	assert_int_equal(option_vga("gfx-1024x768x32x", &v), -EINVAL);
	assert_int_equal(option_vga("mode-12345", &v), -EINVAL);
	assert_int_equal(option_vga("cga", &v), -EINVAL);
	assert_int_equal(option_conswitch("ax", &c), 0);
	assert_true(c.key == 'a' && c.stay);
	assert_int_equal(option_conswitch("B", &c), 0);
	assert_true(c.key == 'b' && !c.stay);
	assert_int_equal(option_conswitch("", &c), -EINVAL);
	assert_int_equal(option_conswitch("ay", &c), -EINVAL);
	assert_int_equal(option_conswitch("1", &c), -EINVAL);
}

static char seen[200];

static bool feature_set(void *ctx, const char *name, bool value)
{
	(void)ctx;
	strcat(seen, value ? "+" : "-");
	strcat(seen, name);
	return strcmp(name, "odd") != 0;
}

static void test_cpuid(void **state)
{
	(void)state;
	seen[0] = '\0';
	assert_int_equal(option_cpuid("no-rdrand,ibpb=off,stibp,ssbd=1,odd", feature_set, NULL), 1);
	assert_string_equal(seen, "-rdrand-ibpb+stibp+ssbd+odd");
	seen[0] = '\0';
	assert_int_equal(option_cpuid("avx=maybe,no-avx=1,,xsave=0", feature_set, NULL), -EINVAL);
	assert_string_equal(seen, "-xsave");
}

static void test_spec_ctrl(void **state)
{
	static const struct spec_ctrl_option unset = SPEC_CTRL_OPTION_DEFAULT;
	struct spec_ctrl_option s = unset;

	(void)state;
	assert_int_equal(option_spec_ctrl("no", &s), 0);
	assert_int_equal(s.all, 0);
	s = unset;
	assert_int_equal(option_spec_ctrl("no-xen,rsb=no-hvm,verw,ibpb-entry=pv,no-msr-sc,bti-thunk=lfence,bhb-seq=tsx,"
					  "ssbd,eager-fpu=off,no-ibrs,bhb-entry=hvm=off,bp-spec-reduce=1", &s), 0);
	assert_int_equal(s.host, 0);
	assert_int_equal(s.all, -1);
	assert_int_equal(s.rsb_hvm, 0);
	assert_int_equal(s.rsb_pv, -1);
	assert_true(s.verw_pv == 1 && s.verw_hvm == 1);
	assert_true(s.ibpb_entry_pv == 1 && s.ibpb_entry_hvm == -1);
	assert_true(s.msr_sc_pv == 0 && s.msr_sc_hvm == 0);
	assert_int_equal(s.thunk, SPEC_THUNK_LFENCE);
	assert_int_equal(s.bhb_seq, SPEC_BHB_TSX);
	assert_true(s.ssbd == 1 && s.eager_fpu == 0 && s.ibrs == 0 && s.bp_spec_reduce == 1);
	assert_true(s.bhb_entry_hvm == 0 && s.bhb_entry_pv == -1);
	s = unset;
	assert_int_equal(option_spec_ctrl("pv=no,md-clear=pv", &s), 0);
	assert_true(s.rsb_pv == 0 && s.rsb_hvm == -1 && s.verw_pv == 1);
	s = unset;
	assert_int_equal(option_spec_ctrl("what,ibpb=0,yes,xen,rsb=qq,bti-thunk=none,stibp=2", &s), -EINVAL);
	assert_true(s.ibpb == 0 && s.all == -1 && s.host == -1 && s.rsb_pv == -1 && s.stibp == -1);
}

static void test_xpti(void **state)
{
	struct xpti_option x = { -1, -1 };

	(void)state;
	assert_int_equal(option_xpti("dom0=off,domu", &x), 0);
	assert_true(x.dom0 == 0 && x.domu == 1);
	assert_int_equal(option_xpti("default,no-domu", &x), 0);
	assert_true(x.dom0 == -1 && x.domu == 0);
	assert_int_equal(option_xpti("no", &x), 0);
	assert_true(x.dom0 == 0 && x.domu == 0);
	assert_int_equal(option_xpti("", &x), 0);
	assert_true(x.dom0 == 1 && x.domu == 1);
	assert_int_equal(option_xpti("dom1", &x), -EINVAL);
}

/* Whatever the text, the parsers return and stay within their buffers (ASan watches). */
static void test_random(void **state)
{
	static const char alphabet[] = "0123456789,,==:./+-%xcomvgatextrsbpvhmino-";
	char text[120];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct dom0_memory mem;
		struct dom0_vcpus vcpus;
		struct uart_option u;
		struct console_option c;
		struct log_threshold t;
		struct vga_option v;
		struct spec_ctrl_option s = SPEC_CTRL_OPTION_DEFAULT;
		struct xpti_option x = { -1, -1 };
		size_t len = (size_t)rand() % sizeof(text);
		bool unsupported;
		int sum;

		for (size_t k = 0; k < len; k++)
			text[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		text[len == sizeof(text) ? len - 1 : len] = '\0';
		uart_option_default(&u, 0);
		seen[0] = '\0';
		sum = option_dom0_mem(text, &mem) + option_dom0_max_vcpus(text, &vcpus) + option_uart(text, &u) +
		      option_console(text, &c, &unsupported) +
		      option_loglvl(text, &t) + option_vga(text, &v) + option_spec_ctrl(text, &s) +
		      option_xpti(text, &x) + option_cpuid(text, feature_set, NULL);
		assert_true(sum < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dom0_mem), cmocka_unit_test(test_dom0_vcpus),
		cmocka_unit_test(test_uart), cmocka_unit_test(test_console), cmocka_unit_test(test_loglvl),
		cmocka_unit_test(test_vga_conswitch), cmocka_unit_test(test_cpuid), cmocka_unit_test(test_spec_ctrl),
		cmocka_unit_test(test_xpti), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
