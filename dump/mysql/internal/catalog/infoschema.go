package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breaking-backups/breaking-backups/dump"
	"github.com/breaking-backups/breaking-backups/dump/mysql/internal/server"
)

// Described is what information_schema has in the versions that this package was held against: a
// table a line, and for those that describe what is in a dump their columns. A later server, or one
// of another maker, may describe more.
var Described = map[server.Family]string{
	server.MySQL: `
		character_sets character_set_name default_collate_name description maxlen
		check_constraints check_clause constraint_catalog constraint_name constraint_schema
		collations character_set_name collation_name id is_compiled is_default pad_attribute sortlen
		columns character_maximum_length character_octet_length character_set_name collation_name column_comment column_default column_key column_name column_type data_type datetime_precision extra generation_expression is_nullable numeric_precision numeric_scale ordinal_position privileges srs_id table_catalog table_name table_schema
		columns_extensions column_name engine_attribute secondary_engine_attribute table_catalog table_name table_schema
		events character_set_client collation_connection created database_collation definer ends event_body event_catalog event_comment event_definition event_name event_schema event_type execute_at interval_field interval_value last_altered last_executed on_completion originator sql_mode starts status time_zone
		json_duality_view_columns allow_delete allow_insert allow_update is_root_table json_key_name read_only referenced_column_name referenced_table_catalog referenced_table_id referenced_table_name referenced_table_schema table_catalog table_name table_schema
		json_duality_view_links child_column_name child_table_catalog child_table_name child_table_schema join_type json_key_name parent_column_name parent_table_catalog parent_table_name parent_table_schema table_catalog table_name table_schema
		json_duality_view_tables allow_delete allow_insert allow_update is_root_table read_only referenced_table_catalog referenced_table_id referenced_table_name referenced_table_parent_id referenced_table_parent_relationship referenced_table_schema table_catalog table_name table_schema where_clause
		json_duality_views allow_delete allow_insert allow_update definer json_column_name read_only root_table_catalog root_table_name root_table_schema security_type status table_catalog table_name table_schema
		key_column_usage column_name constraint_catalog constraint_name constraint_schema ordinal_position position_in_unique_constraint referenced_column_name referenced_table_name referenced_table_schema table_catalog table_name table_schema
		libraries created creator language last_altered library_catalog library_comment library_definition library_name library_schema sql_mode
		parameters character_maximum_length character_octet_length character_set_name collation_name data_type datetime_precision dtd_identifier numeric_precision numeric_scale ordinal_position parameter_mode parameter_name routine_type specific_catalog specific_name specific_schema
		partitions avg_row_length check_time checksum create_time data_free data_length index_length max_data_length nodegroup partition_comment partition_description partition_expression partition_method partition_name partition_ordinal_position secondary_load subpartition_expression subpartition_method subpartition_name subpartition_ordinal_position table_catalog table_name table_rows table_schema tablespace_name update_time
		referential_constraints constraint_catalog constraint_name constraint_schema delete_rule match_option referenced_table_name table_name unique_constraint_catalog unique_constraint_name unique_constraint_schema update_rule
		resource_groups resource_group_enabled resource_group_name resource_group_type thread_priority vcpu_ids
		routine_libraries library_catalog library_name library_schema library_version routine_catalog routine_name routine_schema routine_type
		routines character_maximum_length character_octet_length character_set_client character_set_name collation_connection collation_name created data_type database_collation datetime_precision definer dtd_identifier external_language external_name is_deterministic last_altered numeric_precision numeric_scale parameter_style routine_body routine_catalog routine_comment routine_definition routine_name routine_schema routine_type security_type specific_name sql_data_access sql_mode sql_path
		schemata catalog_name default_character_set_name default_collation_name default_encryption schema_name sql_path
		schemata_extensions catalog_name options schema_name
		statistics cardinality collation column_name comment expression index_comment index_name index_schema index_type is_visible non_unique nullable packed seq_in_index sub_part table_catalog table_name table_schema
		table_constraints constraint_catalog constraint_name constraint_schema constraint_type enforced table_name table_schema
		table_constraints_extensions constraint_catalog constraint_name constraint_schema engine_attribute secondary_engine_attribute table_name
		tables auto_increment avg_row_length check_time checksum create_options create_time data_free data_length engine index_length max_data_length row_format table_catalog table_collation table_comment table_name table_rows table_schema table_type update_time version
		tablespaces
		tables_extensions engine_attribute secondary_engine_attribute table_catalog table_name table_schema
		tablespaces_extensions engine_attribute tablespace_name
		triggers action_condition action_order action_orientation action_reference_new_row action_reference_new_table action_reference_old_row action_reference_old_table action_statement action_timing character_set_client collation_connection created database_collation definer event_manipulation event_object_catalog event_object_schema event_object_table sql_mode trigger_catalog trigger_name trigger_schema
		user_attributes attribute host user
		administrable_role_authorizations
		applicable_roles
		collation_character_set_applicability
		column_privileges
		column_statistics
		enabled_roles
		engines
		files
		innodb_datafiles
		innodb_fields
		innodb_foreign
		innodb_foreign_cols
		innodb_tablespaces_brief
		keywords
		optimizer_trace
		plugins
		processlist
		profiling
		role_column_grants
		role_routine_grants
		role_table_grants
		schema_privileges
		st_geometry_columns
		st_spatial_reference_systems
		st_units_of_measure
		table_privileges
		user_privileges
		view_routine_usage
		view_table_usage
		views character_set_client check_option collation_connection definer is_updatable security_type table_catalog table_name table_schema view_definition
	`,
	server.MariaDB: `
		character_sets character_set_name default_collate_name description maxlen
		check_constraints check_clause constraint_catalog constraint_name constraint_schema level table_name
		collations character_set_name collation_name comment id is_compiled is_default sortlen
		columns character_maximum_length character_octet_length character_set_name collation_name column_comment column_default column_key column_name column_type data_type datetime_precision extra generation_expression is_generated is_nullable is_system_time_period_end is_system_time_period_start numeric_precision numeric_scale ordinal_position privileges table_catalog table_name table_schema
		events character_set_client collation_connection created database_collation definer ends event_body event_catalog event_comment event_definition event_name event_schema event_type execute_at interval_field interval_value last_altered last_executed on_completion originator sql_mode starts status time_zone
		key_column_usage column_name constraint_catalog constraint_name constraint_schema ordinal_position position_in_unique_constraint referenced_column_name referenced_table_name referenced_table_schema table_catalog table_name table_schema
		key_period_usage constraint_catalog constraint_name constraint_schema period_name table_catalog table_name table_schema
		parameters character_maximum_length character_octet_length character_set_name collation_name data_type datetime_precision dtd_identifier numeric_precision numeric_scale ordinal_position parameter_mode parameter_name routine_type specific_catalog specific_name specific_schema
		partitions avg_row_length check_time checksum create_time data_free data_length index_length max_data_length nodegroup partition_comment partition_description partition_expression partition_method partition_name partition_ordinal_position subpartition_expression subpartition_method subpartition_name subpartition_ordinal_position table_catalog table_name table_rows table_schema tablespace_name update_time
		periods end_column_name period start_column_name table_catalog table_name table_schema
		referential_constraints constraint_catalog constraint_name constraint_schema delete_rule match_option referenced_table_name table_name unique_constraint_catalog unique_constraint_name unique_constraint_schema update_rule
		routines character_maximum_length character_octet_length character_set_client character_set_name collation_connection collation_name created data_type database_collation datetime_precision definer dtd_identifier external_language external_name is_deterministic last_altered numeric_precision numeric_scale parameter_style routine_body routine_catalog routine_comment routine_definition routine_name routine_schema routine_type security_type specific_name sql_data_access sql_mode sql_path
		schemata catalog_name default_character_set_name default_collation_name schema_comment schema_name sql_path
		sequences cycle_option data_type increment maximum_value minimum_value numeric_precision numeric_precision_radix numeric_scale sequence_catalog sequence_name sequence_schema start_value
		statistics cardinality collation column_name comment ignored index_comment index_name index_schema index_type non_unique nullable packed seq_in_index sub_part table_catalog table_name table_schema
		table_constraints constraint_catalog constraint_name constraint_schema constraint_type table_name table_schema
		tables auto_increment avg_row_length check_time checksum create_options create_time data_free data_length engine index_length max_data_length max_index_length row_format table_catalog table_collation table_comment table_name table_rows table_schema table_type temporary update_time version
		triggers action_condition action_order action_orientation action_reference_new_row action_reference_new_table action_reference_old_row action_reference_old_table action_statement action_timing character_set_client collation_connection created database_collation definer event_manipulation event_object_catalog event_object_schema event_object_table sql_mode trigger_catalog trigger_name trigger_schema
		views algorithm character_set_client check_option collation_connection definer is_updatable security_type table_catalog table_name table_schema view_definition
		all_plugins
		applicable_roles
		collation_character_set_applicability
		column_privileges
		enabled_roles
		engines
		files
		global_status
		global_variables
		key_caches
		keywords
		optimizer_costs
		optimizer_trace
		plugins
		processlist
		profiling
		schema_privileges
		session_status
		session_variables
		slave_status
		sql_functions
		system_variables
		table_privileges
		tablespaces
		user_privileges
		users
	`,
}

// WarnOfDescribed names what the server's information_schema has and this program does not know of:
// where there is a new kind of object, or a new property of one, there is a table or a column for
// it. Plugins bring tables of their own.
func (c *Reader) WarnOfDescribed(ctx context.Context, described string) error {
	known := map[string][]string{}
	for line := range strings.Lines(described) {
		if words := strings.Fields(line); len(words) > 0 {
			known[words[0]] = words[1:]
		}
	}
	rows, err := c.Conn.List(ctx, `SELECT LOWER(c.table_name) AS tab, LOWER(c.column_name) AS col FROM information_schema.columns c
		WHERE c.table_schema = 'information_schema' AND c.table_name NOT LIKE 'INNODB%'
		AND c.table_name NOT IN (SELECT plugin_name FROM information_schema.plugins WHERE plugin_type = 'INFORMATION SCHEMA') ORDER BY 1, 2`)
	if err != nil {
		return fmt.Errorf("read what the server describes: %w", err)
	}
	var news []string
	for _, r := range rows {
		table, column := r["tab"], r["col"]
		columns, there := known[table]
		switch {
		case !there && !slices.Contains(news, table):
			news = append(news, table)
		case there && len(columns) > 0 && !slices.Contains(columns, column):
			news = append(news, table+"."+column)
		}
	}
	if len(news) > 0 {
		c.Warn("the server's information_schema describes what this program does not know, and what it stands for is not in the dump: " + dump.Listed(news))
	}
	return nil
}
