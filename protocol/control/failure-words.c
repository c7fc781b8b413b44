/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/control/failure-words.h"

static const struct failure_words words[_FAILURE_MAX] = {
	[FAILURE_HANDSHAKE_TIMEOUT] = {
		"Nothing that speaks like a boot ROM answered in time.",
		"Switch the watch fully off, hold its boot key, plug it in; 'mtkrbctl doctor' looks for "
		"other causes.",
	},
	[FAILURE_DEVICE_LOST] = {
		"The watch left or stopped answering in the middle.",
		"Plug it in again: the job goes on where it stopped. If it happens again, try another "
		"cable or port, or charge the battery.",
	},
	[FAILURE_PROTOCOL_ERROR] = {
		"The watch answered something that cannot be, or refused a command.",
		"Try another cable or port; a number in the message is explained by 'mtkrbctl explain "
		"NUMBER'.",
	},
	[FAILURE_UNSUPPORTED_CHIP] = {
		"The chip's flash cannot be read by any way that is known to us.",
		"Readable are MT6260, MT6261, MT2501, MT2502 and MT2503; look at the chip's marking, for "
		"watches are sold under wrong names.",
	},
	[FAILURE_SECURE_BOOT] = {
		"The watch only obeys tools that its maker has signed.",
		"Plain reads may still work: try --method=brom, without a download agent.",
	},
	[FAILURE_DA_REJECTED] = {
		"The watch, or the download agent itself, refused the download agent or a command to it.",
		"Use an agent that was made for this chip, or --method=brom, which needs none.",
	},
	[FAILURE_DA_MISSING] = {
		"The job needs a download agent and there is none that fits.",
		"Give one with --da=FILE, add it with 'mtkrbctl da add FILE', or use --method=brom.",
	},
	[FAILURE_READ_FAILED] = {
		"A place in the flash could not be read, however often it was tried.",
		"Is it past the end of the flash? Else try another cable; the flash may be dying.",
	},
	[FAILURE_VERIFY_MISMATCH] = {
		"Two reads of the same place never gave the same bytes.",
		"The line or the flash is not reliable: try a shorter cable and another port.",
	},
	[FAILURE_SIZE_MISMATCH] = {
		"What is known of the flash's size does not agree, so no size was believed.",
		"Look at the message for each piece of evidence, then give --length=.",
	},
	[FAILURE_NO_SPACE] = {
		"There is no room for the backup on the daemon's disk.",
		"Remove or export old backups ('mtkrbctl backups'), then 'mtkrbctl retry ID'.",
	},
	[FAILURE_ARCHIVE_ERROR] = {
		"The backup could not be written or moved to its place.",
		"Look at the disk and at 'journalctl -u mtkrbd', then 'mtkrbctl retry ID'.",
	},
	[FAILURE_WORKER_CRASHED] = {
		"The process that read the watch ended without a word.",
		"'mtkrbctl retry ID' goes on where it stopped; please report it with 'journalctl -u "
		"mtkrbd'.",
	},
	[FAILURE_TIMEOUT] = {
		"The job did not end within its time.",
		"Submit it with a longer --timeout=, or plug the watch in sooner.",
	},
	[FAILURE_CANCELLED] = {
		"Somebody cancelled the job.",
		"'mtkrbctl retry ID' starts it again.",
	},
	[FAILURE_PORT_BUSY] = {
		"The port could not be opened: another program holds it, or it is not permitted.",
		"'mtkrbctl doctor' names the program or the missing right.",
	},
	[FAILURE_WRONG_WATCH] = {
		"Another watch is plugged in than the one the job began with or asks for.",
		"Plug in the right one, or submit a new job for this one.",
	},
	[FAILURE_SCATTER_MISMATCH] = {
		"The scatter file or .cfg cannot be read, or it is for another watch than this one.",
		"A readback needs no such file: submit without --scatter, or with the right one.",
	},
};

const struct failure_words *failure_words(enum failure_code code)
{
	if (code <= FAILURE_NONE || code >= _FAILURE_MAX || !words[code].meaning)
		return NULL;
	return &words[code];
}
