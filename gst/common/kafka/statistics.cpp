#include "common/kafka/statistics.h"

#include <algorithm>

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

struct Sums {
  std::int64_t round_trips = 0, answers = 0, reconnects = 0;
};

void add_broker(JsonObject*, const gchar*, JsonNode* node, gpointer sums) {
  if (!JSON_NODE_HOLDS_OBJECT(node)) return;
  JsonObject* broker = json_node_get_object(node);
  auto* sum = static_cast<Sums*>(sums);
  JsonObject* round_trip = object_of(broker, "rtt");
  sum->round_trips += number_of(round_trip, "sum");
  sum->answers += number_of(round_trip, "cnt");
  sum->reconnects += std::max<std::int64_t>(0, number_of(broker, "connects") - 1);
}

}  // namespace

Statistics to_statistics(std::string_view json) {
  const JsonNodePtr root = parse_json(json);
  JsonObject* brokers =
      JSON_NODE_HOLDS_OBJECT(root.get()) ? object_of(json_node_get_object(root.get()), "brokers") : nullptr;
  if (!brokers) throw Failure("librdkafka's statistics have no brokers.");
  Sums sums;
  json_object_foreach_member(brokers, add_broker, &sums);
  return {.round_trip = std::chrono::microseconds(sums.answers > 0 ? sums.round_trips / sums.answers : 0),
          .reconnects = static_cast<std::uint64_t>(sums.reconnects)};
}

}  // namespace gkv::kafka
