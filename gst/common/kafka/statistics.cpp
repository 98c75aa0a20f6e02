#include "common/kafka/statistics.h"

#include <functional>
#include <string>

#include "common/failure.h"
#include "common/json/json.h"

namespace gkv::kafka {
namespace {

JsonObject* object_of(JsonObject* parent, const char* name) {
  JsonNode* node = json_object_get_member(parent, name);
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : nullptr;
}

std::int64_t number_of(JsonObject* object, const char* name) {
  return object ? json_object_get_int_member_with_default(object, name, 0) : 0;
}

std::string text_of(JsonObject* object, const char* name) {
  return json_object_get_string_member_with_default(object, name, "");
}

using Visit = std::function<void(const std::string& name, JsonObject* broker)>;

void for_each_broker(JsonObject* brokers, Visit visit) {
  const auto call = [](JsonObject*, const gchar* name, JsonNode* node, gpointer visit) {
    if (JSON_NODE_HOLDS_OBJECT(node)) (*static_cast<Visit*>(visit))(name, json_node_get_object(node));
  };
  json_object_foreach_member(brokers, call, &visit);
}

}  // namespace

void StatisticsReader::read(std::string_view json) {
  const JsonNodePtr root = parse_json(json);
  JsonObject* brokers =
      JSON_NODE_HOLDS_OBJECT(root.get()) ? object_of(json_node_get_object(root.get()), "brokers") : nullptr;
  if (!brokers) throw Failure("librdkafka's statistics have no brokers.");
  std::int64_t round_trips = 0;
  std::int64_t answers = 0;
  for_each_broker(brokers, [&](const std::string& name, JsonObject* broker) {
    JsonObject* round_trip = object_of(broker, "rtt");
    round_trips += number_of(round_trip, "sum");
    answers += number_of(round_trip, "cnt");
    const std::string state = text_of(broker, "state");
    if (state != "UP" && state != "UPDATE") return;
    const std::int64_t connects = number_of(broker, "connects");
    const auto [known, first] = connects_.emplace(name, connects);
    if (!first && known->second != connects) ++known_.reconnects;
    known->second = connects;
  });
  known_.round_trip = std::chrono::microseconds(answers > 0 ? round_trips / answers : 0);
}

}  // namespace gkv::kafka
