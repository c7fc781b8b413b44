/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.varlink.certification on the daemon's varlink engine: each method takes what the one before
 * gave out and refuses anything else with CertificationError, so a client that reaches a good End
 * has seen every type, a stream and a oneway call work.
 *
 *   certification-server SOCKET
 */

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/server/server.h"
#include "daemon/server/session.h"
#include "protocol/base/strings.h"
#include "protocol/control/message.h"

#define INTERFACE "org.varlink.certification"
#define CLIENT_ID "4f1c"

#define STRUCT \
	"{\"bool\":false,\"int\":2,\"float\":3.141592653589793,\"string\":\"a lot of string\"}"
#define SET "{\"one\":{},\"two\":{},\"three\":{}}"
#define MYTYPE                                                                                    \
	"{\"object\":{\"method\":\"org.varlink.certification.Test09\","                           \
	"\"parameters\":{\"map\":{\"foo\":\"Foo\",\"bar\":\"Bar\"}}},"                            \
	"\"enum\":\"two\",\"struct\":{\"first\":1,\"second\":\"2\"},"                             \
	"\"array\":[\"one\",\"two\",\"three\"],\"dictionary\":{\"foo\":\"Foo\",\"bar\":\"Bar\"}," \
	"\"stringset\":" SET ",\"interface\":{\"foo\":[null,{\"Foo\":\"foo\",\"Bar\":\"bar\"},"   \
	"null,{\"one\":\"foo\",\"two\":\"bar\"}],\"anon\":{\"foo\":true,\"bar\":false}}}"

extern const char certification_description[];

#define REPLIES 10 /* of Test10's stream */

struct certification {
	bool oneway_was_right; /* Test11 came as a oneway call with all replies of Test10 */
};

/* What each method wants beside the client's id, and what it answers. Go writes 1.0 as 1. */
static const struct step {
	const char *method;
	const char *wants;
	const char *answer; /* NULL: a function of its own answers */
} steps[] = {
	{ INTERFACE ".Test01", "{}", "{\"bool\":true}" },
	{ INTERFACE ".Test02", "{\"bool\":true}", "{\"int\":1}" },
	{ INTERFACE ".Test03", "{\"int\":1}", "{\"float\":1.0}" },
	{ INTERFACE ".Test04", "{\"float\":1}", "{\"string\":\"ping\"}" },
	{ INTERFACE ".Test05", "{\"string\":\"ping\"}", STRUCT },
	{ INTERFACE ".Test06", STRUCT, "{\"struct\":" STRUCT "}" },
	{ INTERFACE ".Test07", "{\"struct\":" STRUCT "}",
	  "{\"map\":{\"bar\":\"Bar\",\"foo\":\"Foo\"}}" },
	{ INTERFACE ".Test08", "{\"map\":{\"bar\":\"Bar\",\"foo\":\"Foo\"}}", "{\"set\":" SET "}" },
	{ INTERFACE ".Test09", "{\"set\":" SET "}", "{\"mytype\":" MYTYPE "}" },
	{ INTERFACE ".Test10", "{\"mytype\":" MYTYPE "}", NULL },
	{ INTERFACE ".Test11",
	  "{\"last_more_replies\":[\"Reply number 1\",\"Reply number 2\",\"Reply number 3\","
	  "\"Reply number 4\",\"Reply number 5\",\"Reply number 6\",\"Reply number 7\","
	  "\"Reply number 8\",\"Reply number 9\",\"Reply number 10\"]}",
	  NULL },
	{ INTERFACE ".End", "{}", NULL },
};

static const struct step *find_step(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (streq(steps[i].method, method))
			return &steps[i];
	return NULL;
}

static int refuse(struct call *call, struct json_object *wants, struct json_object *got)
{
	struct json_object *parameters;
	int r;

	r = message_build(&parameters, MEMBERS(M_OBJECT("wants", message_ref(wants)),
					       M_OBJECT("got", message_ref(got))));
	return r < 0 ? r : call_error(call, INTERFACE ".CertificationError", parameters);
}

/* 1: the parameters are what the step wants; else they are refused. */
static int check(struct call *call, const struct step *step, struct json_object *parameters)
{
	_cleanup_message_ struct json_object *wants = NULL;
	const char *id = message_string(message_member(parameters, "client_id"));
	int r;

	if (!id || !streq(id, CLIENT_ID))
		return call_error(call, INTERFACE ".ClientIdError", NULL);
	r = message_parse(step->wants, strlen(step->wants), &wants);
	if (r == 0)
		r = message_add(wants, M_STRING("client_id", CLIENT_ID));
	if (r < 0)
		return r;
	return json_object_equal(wants, parameters) ? 1 : refuse(call, wants, parameters);
}

static int on_start(struct call *call, struct json_object *parameters _unused_,
		    void *userdata _unused_)
{
	struct json_object *reply;
	int r;

	r = message_build(&reply, MEMBERS(M_STRING("client_id", CLIENT_ID)));
	return r < 0 ? r : call_reply(call, reply);
}

static int on_step(struct call *call, struct json_object *parameters, void *userdata _unused_)
{
	const struct step *step = find_step(call_method(call));
	struct json_object *reply;
	int r;

	r = check(call, step, parameters);
	if (r <= 0)
		return r;
	r = message_parse(step->answer, strlen(step->answer), &reply);
	return r < 0 ? r : call_reply(call, reply);
}

static int on_stream(struct call *call, struct json_object *parameters, void *userdata _unused_)
{
	int r;

	r = check(call, find_step(call_method(call)), parameters);
	if (r <= 0)
		return r;
	for (int i = 1; r >= 0 && i <= REPLIES; i++) {
		_cleanup_free_ char *text = str_format("Reply number %d", i);
		struct json_object *reply;

		r = text ? message_build(&reply, MEMBERS(M_STRING("string", text))) : -ENOMEM;
		if (r == 0)
			r = i < REPLIES ? call_reply_continues(call, reply)
					: call_reply(call, reply);
	}
	return r;
}

static int on_oneway(struct call *call, struct json_object *parameters, void *userdata)
{
	struct certification *certification = userdata;
	int r;

	r = check(call, find_step(call_method(call)), parameters);
	if (r <= 0)
		return r;
	certification->oneway_was_right = call_is_oneway(call);
	return call_reply(call, NULL);
}

static int on_end(struct call *call, struct json_object *parameters, void *userdata)
{
	const struct certification *certification = userdata;
	struct json_object *reply;
	int r;

	r = check(call, find_step(call_method(call)), parameters);
	if (r <= 0)
		return r;
	r = message_build(&reply, MEMBERS(M_BOOL("all_ok", certification->oneway_was_right)));
	return r < 0 ? r : call_reply(call, reply);
}

static const struct method methods[] = {
	{ "Start", on_start, 0 },
	{ "Test01", on_step, 0 },
	{ "Test02", on_step, 0 },
	{ "Test03", on_step, 0 },
	{ "Test04", on_step, 0 },
	{ "Test05", on_step, 0 },
	{ "Test06", on_step, 0 },
	{ "Test07", on_step, 0 },
	{ "Test08", on_step, 0 },
	{ "Test09", on_step, 0 },
	{ "Test10", on_stream, METHOD_NEEDS_MORE },
	{ "Test11", on_oneway, 0 },
	{ "End", on_end, 0 },
};

static int serve(const char *path)
{
	const struct interface interface = {
		.name = INTERFACE,
		.description = certification_description,
		.methods = methods,
		.n_methods = ARRAY_SIZE(methods),
	};
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(server_freep) struct server *server = NULL;
	struct certification certification = { 0 };
	int r;

	r = sd_event_default(&event);
	if (r >= 0)
		r = sd_event_set_signal_exit(event, true);
	if (r >= 0)
		r = server_new(event, &interface, 1, &certification, &server);
	if (r >= 0)
		r = server_listen(server, path);
	return r < 0 ? r : sd_event_loop(event);
}

int main(int argc, char **argv)
{
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: certification-server SOCKET\n");
		return 2;
	}
	r = serve(argv[1]);
	if (r < 0)
		fprintf(stderr, "certification-server: %s: %s\n", argv[1], strerror(-r));
	return r < 0;
}
