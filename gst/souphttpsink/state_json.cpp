#include "state_json.h"

#include "common/json/json.h"
#include "glib_handles.h"

namespace gkv {

std::string state_json(const std::vector<SourceStatus>& sources,
                       const std::function<std::size_t(const std::string&)>& viewers_of, std::size_t viewers) {
  GObjectPtr<JsonBuilder> builder(json_builder_new());
  const auto add_count = [&](const char* name, auto count) {
    json_builder_set_member_name(builder.get(), name);
    json_builder_add_int_value(builder.get(), static_cast<gint64>(count));
  };
  json_builder_begin_object(builder.get());
  json_builder_set_member_name(builder.get(), "sources");
  json_builder_begin_array(builder.get());
  for (const auto& source : sources) {
    json_builder_begin_object(builder.get());
    json_builder_set_member_name(builder.get(), "id");
    json_builder_add_string_value(builder.get(), source.id.c_str());
    add_count("frames", source.frames);
    add_count("age_ms", source.age.count());
    add_count("viewers", viewers_of(source.id));
    json_builder_end_object(builder.get());
  }
  json_builder_end_array(builder.get());
  add_count("viewers", viewers);
  json_builder_end_object(builder.get());
  return to_json(JsonNodePtr(json_builder_get_root(builder.get())).get());
}

}  // namespace gkv
