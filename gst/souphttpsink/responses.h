#pragma once

#include <libsoup/soup.h>

#include <optional>
#include <string>

#include "routes.h"
#include "sources.h"

namespace gkv {

/// The response headers of every answer: none may be cached, and each is the last of its connection.
void set_common_headers(SoupServerMessage* message);

/// Refuses, before the body is read, what this server does not serve: 404, 405, and 413 for any request body. What a
/// client sends all the same is dropped as it comes, and the connection with it when that is too much.
/// @param route  nullopt: nothing is there
/// @param socket  the message's; null: its connection is over
void refuse_unserved(SoupServerMessage* message, const std::optional<Route>& route, GSocket* socket);

/// Answers with one of the page's files.
void respond_page(SoupServerMessage* message, Endpoint file);

/// Answers with JSON text.
void respond_json(SoupServerMessage* message, const std::string& json);

/// Answers with the picture as it is.
void respond_snapshot(SoupServerMessage* message, const Frame& frame);

/// Answers with a status and a line of text for humans.
void respond_text(SoupServerMessage* message, SoupStatus status, const std::string& text);

}  // namespace gkv
