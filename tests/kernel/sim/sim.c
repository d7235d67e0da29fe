// SPDX-License-Identifier: GPL-2.0-only
// Copyright The ccdm authors
/*
 * sim.c - a TEE for tests: its driver in the guest, while its firmware runs on the host
 *
 * Registers the same interfaces as real drivers: a provider of configfs-tsm, /dev/sev-guest, and
 * the measurement registers of tdx_guest, as far as this kernel has them. Each request goes over
 * the second serial port to tests/kernel/sim/signer.c outside of the guest. So root in the guest
 * can request reports but cannot forge them.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/uaccess.h>
#include <uapi/linux/sev-guest.h>
#if IS_ENABLED(CONFIG_TSM_REPORTS)
#include <linux/tsm.h>
#endif
#if IS_ENABLED(CONFIG_TSM_MEASUREMENTS)
#include <linux/tsm-mr.h>
#endif

static char *tee = "snp";
module_param(tee, charp, 0);
MODULE_PARM_DESC(tee, "snp or tdx");

static char *port = "/dev/ttyS1";
module_param(port, charp, 0);
MODULE_PARM_DESC(port, "where the signer is");

static unsigned int floor;
module_param(floor, uint, 0);
MODULE_PARM_DESC(floor, "privilege level of the kernel; above 0 there is an SVSM below it");

#define SIM_DATA   64
#define SIM_REPORT 1184
#define SIM_MAX	   65536

/* ---- connection to the signer --------------------------------------------------- */

static struct file *sim_file;
static DEFINE_MUTEX(sim_lock); /* one request at a time; taken with no other lock held */

struct sim_answer {
	u32 size, aux_size;
	u8 *bytes; /* kvmalloc; @size bytes, then @aux_size bytes */
};

static int sim_raw(struct file *file)
{
	struct tty_struct *tty = ((struct tty_file_private *)file->private_data)->tty;
	struct ktermios raw = tty->termios;

	raw.c_iflag = 0;
	raw.c_oflag = 0;
	raw.c_lflag = 0;
	raw.c_cflag = B115200 | CS8 | CREAD | CLOCAL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tty_set_termios(tty, &raw);
}

static int sim_io(bool write, void *bytes, size_t size)
{
	ssize_t n;

	for (; size; bytes += n, size -= n) {
		n = write ? kernel_write(sim_file, bytes, size, NULL)
			  : kernel_read(sim_file, bytes, size, NULL);
		if (n <= 0)
			return n ? n : -EIO;
	}
	return 0;
}

static int sim_ask(char what, u8 arg, const u8 *data, size_t size, struct sim_answer *a)
{
	u8 request[6 + SIM_DATA] = { 'C', 'C', 'D', 'M', what, arg };
	__le32 head[2];
	int r;

	memcpy(request + 6, data, size);
	a->bytes = NULL;
	mutex_lock(&sim_lock);
	r = sim_io(true, request, sizeof(request));
	if (!r)
		r = sim_io(false, head, sizeof(head));
	if (!r) {
		a->size = le32_to_cpu(head[0]);
		a->aux_size = le32_to_cpu(head[1]);
		if (a->size > SIM_MAX || a->aux_size > SIM_MAX)
			r = -EIO;
	}
	if (!r) {
		a->bytes = kvmalloc(a->size + a->aux_size + 1, GFP_KERNEL);
		r = a->bytes ? sim_io(false, a->bytes, a->size + a->aux_size) : -ENOMEM;
	}
	mutex_unlock(&sim_lock);
	if (r)
		kvfree(a->bytes);
	return r;
}

/* ---- configfs-tsm ------------------------------------------------------------------ */

#if IS_ENABLED(CONFIG_TSM_REPORTS)
/* 6.16 renamed all of these together. */
#ifdef TSM_REPORT_PRIVLEVEL_MAX
#define sim_ops_type	   tsm_report_ops
#define sim_tsm_register   tsm_report_register
#define sim_tsm_unregister tsm_report_unregister
#else
#define sim_ops_type	   tsm_ops
#define sim_tsm_register   tsm_register
#define sim_tsm_unregister tsm_unregister
#endif

/* The only service of the simulated SVSM: its TPM, under the GUID of the kernel's documentation. */
static const guid_t sim_vtpm = GUID_INIT(0xc476f1eb, 0x0123, 0x45a5, 0x96, 0x41, 0xb4, 0xe7, 0xdd,
					 0xe5, 0xbf, 0xe3);

static int sim_manifest(struct tsm_report *report)
{
	struct sim_answer a;
	int r;

	if (strcmp(report->desc.service_provider, "svsm") ||
	    !guid_equal(&report->desc.service_guid, &sim_vtpm) ||
	    report->desc.service_manifest_version)
		return -EINVAL;
	r = sim_ask('T', 0, NULL, 0, &a);
	if (r)
		return r;
	report->manifestblob = a.size ? kvmemdup(a.bytes, a.size, GFP_KERNEL) : NULL;
	report->manifestblob_len = a.size;
	kvfree(a.bytes);
	if (!report->manifestblob_len)
		return -EINVAL; /* the SVSM lacks this service */
	return report->manifestblob ? 0 : -ENOMEM;
}

static int sim_report_new(struct tsm_report *report, void *data)
{
	bool service = report->desc.service_provider;
	struct sim_answer a;
	int r;

	if (report->desc.inblob_len != SIM_DATA)
		return -EINVAL;
	r = service ? sim_manifest(report) : 0;
	if (!r)
		r = sim_ask(service ? 'S' : 'R', report->desc.privlevel, report->desc.inblob,
			    SIM_DATA, &a);
	if (r)
		return r;
	report->outblob = kvmemdup(a.bytes, a.size ? a.size : 1, GFP_KERNEL);
	report->outblob_len = a.size;
	if (a.aux_size) {
		report->auxblob = kvmemdup(a.bytes + a.size, a.aux_size, GFP_KERNEL);
		report->auxblob_len = a.aux_size;
	}
	kvfree(a.bytes);
	return report->outblob && (!report->auxblob_len || report->auxblob) ? 0 : -ENOMEM;
}

static bool sim_attr(int n)
{
	bool snp = !strcmp(tee, "snp");

	return n == TSM_REPORT_GENERATION || n == TSM_REPORT_PROVIDER ||
	       (snp && (n == TSM_REPORT_PRIVLEVEL || n == TSM_REPORT_PRIVLEVEL_FLOOR)) ||
	       (snp && floor && (n == TSM_REPORT_SERVICE_PROVIDER || n == TSM_REPORT_SERVICE_GUID ||
				 n == TSM_REPORT_SERVICE_MANIFEST_VER));
}

static bool sim_bin_attr(int n)
{
	bool snp = !strcmp(tee, "snp");

	return n == TSM_REPORT_INBLOB || n == TSM_REPORT_OUTBLOB ||
	       (snp && n == TSM_REPORT_AUXBLOB) || (snp && floor && n == TSM_REPORT_MANIFESTBLOB);
}

static struct sim_ops_type sim_ops = {
	.report_new = sim_report_new,
	.report_attr_visible = sim_attr,
	.report_bin_attr_visible = sim_bin_attr,
};

static int sim_tsm(void)
{
	sim_ops.name = !strcmp(tee, "snp") ? "sev_guest" : "tdx_guest";
	sim_ops.privlevel_floor = floor;
	return sim_tsm_register(&sim_ops, NULL);
}

static void sim_tsm_exit(void)
{
	sim_tsm_unregister(&sim_ops);
}
#else
static int sim_tsm(void)
{
	return 0;
}

static void sim_tsm_exit(void)
{
}
#endif

/* ---- /dev/sev-guest ------------------------------------------------------------------ */

static long sim_report(struct snp_guest_request_ioctl *io, struct sim_answer *a,
		       const struct snp_report_req *req)
{
	struct snp_report_resp *resp;
	__le32 head[2] = { 0 };
	long r;

	r = sim_ask('R', req->vmpl, req->user_data, SIM_DATA, a);
	if (r)
		return r;
	resp = kzalloc(sizeof(*resp), GFP_KERNEL);
	if (!resp) {
		r = -ENOMEM;
	} else {
		head[1] = cpu_to_le32(a->size);
		memcpy(resp->data, head, sizeof(head));
		memcpy(resp->data + 32, a->bytes, min_t(u32, a->size, SIM_REPORT));
		if (copy_to_user((void __user *)io->resp_data, resp, sizeof(*resp)))
			r = -EFAULT;
	}
	kfree(resp);
	if (r)
		kvfree(a->bytes);
	return r;
}

static long sim_get_report(struct snp_guest_request_ioctl *io)
{
	struct snp_report_req req;
	struct sim_answer a;
	long r;

	if (copy_from_user(&req, (void __user *)io->req_data, sizeof(req)))
		return -EFAULT;
	r = req.vmpl < floor ? -EIO : sim_report(io, &a, &req);
	if (!r)
		kvfree(a.bytes);
	return r;
}

static long sim_get_ext_report(struct snp_guest_request_ioctl *io)
{
	struct snp_ext_report_req req;
	struct sim_answer a;
	long r;

	if (copy_from_user(&req, (void __user *)io->req_data, sizeof(req)))
		return -EFAULT;
	r = req.data.vmpl < floor ? -EIO : sim_report(io, &a, &req.data);
	if (r)
		return r;
	if (a.aux_size > req.certs_len) {
		io->exitinfo2 = (u64)SNP_GUEST_VMM_ERR_INVALID_LEN << 32;
		r = -EIO;
	} else if (copy_to_user((void __user *)req.certs_address, a.bytes + a.size, a.aux_size)) {
		r = -EFAULT;
	}
	kvfree(a.bytes);
	return r;
}

static long sim_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct snp_guest_request_ioctl io;
	long r;

	if (copy_from_user(&io, (void __user *)arg, sizeof(io)))
		return -EFAULT;
	if (!io.msg_version)
		return -EINVAL;
	io.exitinfo2 = 0;
	switch (cmd) {
	case SNP_GET_REPORT:
		r = sim_get_report(&io);
		break;
	case SNP_GET_EXT_REPORT:
		r = sim_get_ext_report(&io);
		break;
	default:
		return -ENOTTY;
	}
	if (io.exitinfo2 && copy_to_user((void __user *)arg, &io, sizeof(io)))
		return -EFAULT;
	return r;
}

static const struct file_operations sim_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sim_ioctl,
};

/* ---- registers of tdx_guest ------------------------------------------------------------ */

static struct miscdevice sim_misc = { .minor = MISC_DYNAMIC_MINOR, .fops = &sim_fops };

#if IS_ENABLED(CONFIG_TSM_MEASUREMENTS)
#define SIM_HASH 48

static u8 sim_values[5][SIM_HASH]; /* as the signer reported them last: MRTD, then the RTMRs */

static const struct tsm_measurement_register sim_mrs[] = {
	{ TSM_MR_(mrtd, SHA384), .mr_value = sim_values[0] },
#define SIM_RTMR(n)                                                       \
	{ .mr_name = "rtmr" #n, .mr_value = sim_values[1 + n],             \
	  .mr_size = SIM_HASH, .mr_hash = HASH_ALGO_SHA384,                \
	  .mr_flags = TSM_MR_F_READABLE | TSM_MR_F_RTMR }
	SIM_RTMR(0), SIM_RTMR(1), SIM_RTMR(2), SIM_RTMR(3),
};

static int sim_refresh(const struct tsm_measurements *tm)
{
	struct sim_answer a;
	int r = sim_ask('M', 0, NULL, 0, &a);

	if (r)
		return r;
	if (a.size == sizeof(sim_values))
		memcpy(sim_values, a.bytes, sizeof(sim_values));
	else
		r = -EIO;
	kvfree(a.bytes);
	return r;
}

static int sim_extend(const struct tsm_measurements *tm, const struct tsm_measurement_register *mr,
		      const u8 *data)
{
	struct sim_answer a;
	int r = sim_ask('E', mr - sim_mrs - 1, data, SIM_HASH, &a);

	if (!r)
		kvfree(a.bytes);
	return r;
}

static const struct tsm_measurements sim_registers = {
	.mrs = sim_mrs,
	.nr_mrs = ARRAY_SIZE(sim_mrs),
	.refresh = sim_refresh,
	.write = sim_extend,
};

static const struct attribute_group *sim_groups[2];

static int sim_device(void)
{
	int r;

	if (strcmp(tee, "tdx")) {
		sim_misc.name = "sev-guest";
		return misc_register(&sim_misc);
	}
	r = sim_refresh(&sim_registers);
	if (r)
		return r;
	sim_groups[0] = tsm_mr_create_attribute_group(&sim_registers);
	if (IS_ERR(sim_groups[0]))
		return PTR_ERR(sim_groups[0]);
	sim_misc.name = "tdx_guest";
	sim_misc.groups = sim_groups;
	r = misc_register(&sim_misc);
	if (r)
		tsm_mr_free_attribute_group(sim_groups[0]);
	return r;
}

static void sim_device_exit(void)
{
	misc_deregister(&sim_misc);
	if (sim_groups[0])
		tsm_mr_free_attribute_group(sim_groups[0]);
}
#else
static int sim_device(void)
{
	sim_misc.name = strcmp(tee, "tdx") ? "sev-guest" : "tdx_guest";
	return misc_register(&sim_misc);
}

static void sim_device_exit(void)
{
	misc_deregister(&sim_misc);
}
#endif

/* ---- the module --------------------------------------------------------------------------- */

static int __init sim_init(void)
{
	int r;

	if (strcmp(tee, "snp") && strcmp(tee, "tdx"))
		return -EINVAL;
	sim_file = filp_open(port, O_RDWR | O_NOCTTY, 0);
	if (IS_ERR(sim_file))
		return PTR_ERR(sim_file);
	r = sim_raw(sim_file);
	if (!r)
		r = sim_device();
	if (!r) {
		r = sim_tsm();
		if (r)
			sim_device_exit();
	}
	if (r)
		filp_close(sim_file, NULL);
	return r;
}

static void __exit sim_exit(void)
{
	sim_tsm_exit();
	sim_device_exit();
	filp_close(sim_file, NULL);
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ccdm: a TEE for tests, which proves nothing");
