/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <strings.h>

#include <yaml.h>

#include "protocol/base/strings.h"
#include "protocol/firmware/scatter-internal.h"

#define SECTIONS_MAX 64 /* of a .cfg; real ones have up to 7 */

/* The tree is walked to a fixed depth, so an alias that points back into it cannot trap us. */
struct tree {
	yaml_document_t document;
	struct scatter *scatter;
	struct scatter_error *error;
};

static unsigned int line_of(const yaml_node_t *node)
{
	return (unsigned int)node->start_mark.line + 1;
}

static bool is_blank(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (node->data.scalar.length == 0 ||
		(node->data.scalar.length == 1 && node->data.scalar.value[0] == '~'));
}

static bool is_word(const yaml_node_t *node, const char *word)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(word) &&
	       memcmp(node->data.scalar.value, word, strlen(word)) == 0;
}

static int expect(struct tree *tree, const yaml_node_t *node, yaml_node_type_t type,
		  const char *what)
{
	if (node->type == type)
		return 0;
	return scatter_refuse(tree->error, line_of(node), "%s must be a %s", what,
			      type == YAML_MAPPING_NODE    ? "group of keys"
			      : type == YAML_SEQUENCE_NODE ? "list"
							   : "single value");
}

/* The value of a key of a mapping, NULL when it is not there; twice is refused. */
static int member(struct tree *tree, const yaml_node_t *mapping, const char *key, yaml_node_t **ret)
{
	*ret = NULL;
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(&tree->document, pair->key);

		if (!is_word(name, key))
			continue;
		if (*ret)
			return scatter_refuse(tree->error, line_of(name), "%s is given twice", key);
		*ret = yaml_document_get_node(&tree->document, pair->value);
	}
	return 0;
}

/* A member that is text; *ret is left alone when it is absent or blank. */
static int text_member(struct tree *tree, const yaml_node_t *mapping, const char *key, char **ret)
{
	yaml_node_t *value;
	int r = member(tree, mapping, key, &value);

	if (r < 0 || !value || is_blank(value))
		return r;
	r = expect(tree, value, YAML_SCALAR_NODE, key);
	if (r < 0)
		return r;
	return scatter_copy_text((const char *)value->data.scalar.value, value->data.scalar.length,
				 line_of(value), ret, tree->error);
}

static int node_number(struct tree *tree, const yaml_node_t *node, uint64_t max, uint64_t *ret)
{
	char text[24];

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length >= sizeof(text))
		return scatter_refuse(tree->error, line_of(node), "not a number");
	memcpy(text, node->data.scalar.value, node->data.scalar.length);
	text[node->data.scalar.length] = '\0';
	if (parse_size(text, ret) < 0 || *ret > max)
		return scatter_refuse(tree->error, line_of(node), "not a number from 0 to 0x%llx",
				      (unsigned long long)max);
	return 0;
}

static int number_member(struct tree *tree, const yaml_node_t *mapping, const char *key,
			 uint64_t max, uint64_t *ret)
{
	yaml_node_t *value;
	int r = member(tree, mapping, key, &value);

	if (r < 0)
		return r;
	if (!value)
		return scatter_refuse(tree->error, line_of(mapping), "%s is missing", key);
	return node_number(tree, value, max, ret);
}

/* Calls read for every element of a list; a blank in its place is an empty list. */
static int each(struct tree *tree, const yaml_node_t *list, const char *what, const char *argument,
		int (*read)(struct tree *tree, const yaml_node_t *element, const char *argument))
{
	int r;

	if (is_blank(list))
		return 0;
	r = expect(tree, list, YAML_SEQUENCE_NODE, what);
	for (yaml_node_item_t *item = list->data.sequence.items.start;
	     r >= 0 && item < list->data.sequence.items.top; item++) {
		yaml_node_t *element = yaml_document_get_node(&tree->document, *item);

		r = expect(tree, element, YAML_MAPPING_NODE, "an element");
		if (r >= 0)
			r = read(tree, element, argument);
	}
	return r;
}

/* ---- .cfg ---- */

static int read_file(struct tree *tree, const yaml_node_t *element, const char *region)
{
	struct scatter_part *part;
	int r = scatter_add_part(tree->scatter, line_of(element), &part, tree->error);

	if (r < 0)
		return r;
	r = text_member(tree, element, "file", &part->name);
	if (r < 0)
		return r;
	if (!part->name)
		return scatter_refuse(tree->error, line_of(element), "an element without a file");
	return str_replace(&part->region, region);
}

static int read_region(struct tree *tree, const yaml_node_t *region, const char *name)
{
	yaml_node_t *rom = NULL;
	int r;

	if (is_blank(region))
		return 0;
	r = expect(tree, region, YAML_MAPPING_NODE, name);
	if (r >= 0)
		r = member(tree, region, "rom", &rom);
	if (r < 0 || !rom)
		return r;
	return each(tree, rom, "rom", name, read_file);
}

static int read_id(struct tree *tree, const yaml_node_t *info, struct scatter_flash *flash)
{
	yaml_node_t *list = NULL;
	uint64_t length = 0, byte = 0;
	size_t n = 0;
	int r = number_member(tree, info, "id_length", sizeof(flash->id), &length);

	if (r >= 0)
		r = member(tree, info, "flash_id", &list);
	if (r < 0)
		return r;
	if (!list || list->type != YAML_SEQUENCE_NODE)
		return scatter_refuse(tree->error, line_of(list ? list : info),
				      "flash_id must be a list of bytes");
	for (yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top; item++) {
		yaml_node_t *element = yaml_document_get_node(&tree->document, *item);

		if (n == sizeof(flash->id))
			return scatter_refuse(tree->error, line_of(element),
					      "flash_id has more than 8 bytes");
		r = node_number(tree, element, 0xFF, &byte);
		if (r < 0)
			return r;
		flash->id[n++] = (uint8_t)byte;
	}
	if (length == 0 || length > n)
		return scatter_refuse(tree->error, line_of(list),
				      "id_length is %u, flash_id has %zu bytes",
				      (unsigned int)length, n);
	flash->id_length = (uint8_t)length;
	return 0;
}

static int read_parameter(struct tree *tree, const yaml_node_t *element,
			  const char *argument _unused_)
{
	struct scatter_flash *flash;
	yaml_node_t *info;
	int r = member(tree, element, "flash_info", &info);

	if (r < 0)
		return r;
	if (!info)
		return scatter_refuse(tree->error, line_of(element), "flash_info is missing");
	r = expect(tree, info, YAML_MAPPING_NODE, "flash_info");
	if (r >= 0)
		r = scatter_add_flash(tree->scatter, line_of(element), &flash, tree->error);
	if (r >= 0)
		r = text_member(tree, info, "flash_type", &flash->type);
	if (r >= 0)
		r = read_id(tree, info, flash);
	if (r >= 0)
		r = text_member(tree, element, "memory_type", &flash->memory_type);
	if (r < 0)
		return r;
	/* Settings of a DRAM are a group of their own and no concern of a readback. */
	r = member(tree, element, "EMI_Setting", &info);
	return r < 0 || !info || info->type != YAML_SCALAR_NODE
		       ? r
		       : text_member(tree, element, "EMI_Setting", &flash->emi_setting);
}

static int read_memory(struct tree *tree, const yaml_node_t *memory)
{
	yaml_node_t *parameters = NULL;
	int r;

	if (is_blank(memory))
		return 0;
	r = expect(tree, memory, YAML_MAPPING_NODE, "external_memory");
	if (r >= 0)
		r = text_member(tree, memory, "parameters_version", &tree->scatter->memory_version);
	if (r >= 0)
		r = member(tree, memory, "parameters", &parameters);
	return r < 0 || !parameters ? r
				    : each(tree, parameters, "parameters", NULL, read_parameter);
}

static int read_general(struct tree *tree, const yaml_node_t *general)
{
	int r = expect(tree, general, YAML_MAPPING_NODE, "general");

	if (r >= 0)
		r = text_member(tree, general, "config_version", &tree->scatter->version);
	return r < 0 ? r : text_member(tree, general, "platform", &tree->scatter->platform);
}

static bool is_region(const char *name)
{
	size_t length = strlen(name);

	return length > strlen("_region") && streq(name + length - strlen("_region"), "_region");
}

static int read_section(struct tree *tree, const yaml_node_t *name, const yaml_node_t *value)
{
	_cleanup_free_ char *key = NULL;
	int r = expect(tree, name, YAML_SCALAR_NODE, "a section's name");

	if (r >= 0)
		r = scatter_copy_text((const char *)name->data.scalar.value,
				      name->data.scalar.length, line_of(name), &key, tree->error);
	if (r < 0)
		return r;
	if (streq(key, "general"))
		return read_general(tree, value);
	if (streq(key, "external_memory"))
		return read_memory(tree, value);
	if (is_region(key))
		return read_region(tree, value, key);
	return scatter_refuse(tree->error, line_of(name), "unknown section '%.60s'", key);
}

static int read_cfg(struct tree *tree, const yaml_node_t *root)
{
	yaml_node_t *general, *value;
	int r = member(tree, root, "general", &general);

	tree->scatter->form = SCATTER_CFG;
	if (r >= 0 && root->data.mapping.pairs.top - root->data.mapping.pairs.start > SECTIONS_MAX)
		r = scatter_refuse(tree->error, line_of(root), "more than %d sections",
				   SECTIONS_MAX);
	if (r >= 0 && !general)
		r = scatter_refuse(tree->error, line_of(root), "the section 'general' is missing");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     r >= 0 && pair < root->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(&tree->document, pair->key);

		if (name->type == YAML_SCALAR_NODE)
			r = member(tree, root, (const char *)name->data.scalar.value, &value);
		if (r >= 0)
			r = read_section(tree, name,
					 yaml_document_get_node(&tree->document, pair->value));
	}
	return r;
}

/* ---- The newer smartphone form ---- */

static int read_info(struct tree *tree, const yaml_node_t *element, const char *argument _unused_)
{
	int r = text_member(tree, element, "config_version", &tree->scatter->version);

	if (r >= 0)
		r = text_member(tree, element, "platform", &tree->scatter->platform);
	return r < 0 ? r : text_member(tree, element, "project", &tree->scatter->project);
}

static int read_partition(struct tree *tree, const yaml_node_t *element)
{
	_cleanup_free_ char *reserved = NULL;
	struct scatter_part *part;
	int r = scatter_add_part(tree->scatter, line_of(element), &part, tree->error);

	if (r >= 0)
		r = text_member(tree, element, "partition_name", &part->name);
	if (r >= 0 && !part->name)
		r = scatter_refuse(tree->error, line_of(element), "partition_name is missing");
	if (r >= 0)
		r = text_member(tree, element, "file_name", &part->file);
	if (r >= 0)
		r = text_member(tree, element, "region", &part->region);
	if (r >= 0)
		r = text_member(tree, element, "is_reserved", &reserved);
	if (r >= 0)
		r = number_member(tree, element, "linear_start_addr", INT64_MAX, &part->start);
	if (r >= 0)
		r = number_member(tree, element, "partition_size", INT64_MAX, &part->length);
	if (r < 0)
		return r;
	if (part->file && streq(part->file, "NONE")) {
		free(part->file);
		part->file = NULL;
	}
	part->placed =
		part->start < SCATTER_MARKS && !(reserved && strcasecmp(reserved, "true") == 0);
	return 0;
}

static int read_element(struct tree *tree, const yaml_node_t *element,
			const char *argument _unused_)
{
	yaml_node_t *general, *info;
	int r = member(tree, element, "general", &general);

	if (r < 0)
		return r;
	if (!general)
		return read_partition(tree, element);
	r = member(tree, element, "info", &info);
	return r < 0 || !info ? r : each(tree, info, "info", NULL, read_info);
}

static int read_layout(struct tree *tree, const yaml_node_t *root)
{
	int r = each(tree, root, "the file", NULL, read_element);

	tree->scatter->form = SCATTER_LAYOUT;
	return r < 0 ? r : scatter_close_gaps(tree->scatter, tree->error);
}

/* ---- Both ---- */

static int refuse_syntax(const yaml_parser_t *parser, struct scatter_error *error)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return scatter_refuse(error, (unsigned int)parser->problem_mark.line + 1, "%s",
			      parser->problem ? parser->problem : "not YAML");
}

static int read_tree(struct tree *tree)
{
	yaml_node_t *root = yaml_document_get_root_node(&tree->document);

	if (!root)
		return scatter_refuse(tree->error, 0, "it is empty");
	if (root->type == YAML_MAPPING_NODE)
		return read_cfg(tree, root);
	if (root->type == YAML_SEQUENCE_NODE)
		return read_layout(tree, root);
	return scatter_refuse(tree->error, line_of(root),
			      "neither a .cfg of the FlashTool nor a scatter file");
}

int scatter_read_yaml(const char *text, size_t size, struct scatter *scatter,
		      struct scatter_error *error)
{
	struct tree tree = { .scatter = scatter, .error = error };
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (yaml_parser_load(&parser, &tree.document)) {
		r = read_tree(&tree);
		yaml_document_delete(&tree.document);
	} else {
		r = refuse_syntax(&parser, error);
	}
	yaml_parser_delete(&parser);
	return r;
}
