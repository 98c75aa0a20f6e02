#include "common/frame/caps_text.h"

#include <gtest/gtest.h>

namespace gkv {
namespace {

TEST(CapsText, WhatGStreamerWritesIsTaken) {
  for (const char* text :
       {"image/jpeg", "image/jpeg, width=(int)640, framerate=(fraction)30/1",
        "video/x-h264, codec_data=(buffer)0142c01effe1, stream-format=(string)avc, level=(string)\"3\\.1\"",
        "audio/x-vorbis, streamheader=(buffer)< 01a2, 03b4 >", "video/x-raw(memory:DMABuf), format=(string)NV12",
        "video/x-raw(memory:GLMemory, meta:GstVideoOverlayComposition)", "application/x-opencv-mat+json",
        "video/x-raw, multiview-flags=(GstVideoMultiviewFlagsSet)0:ffffffff:/right-view-first/left-flipped",
        "x/y, note=(string)\"a; b (structure)\""}) {
    EXPECT_EQ(problem_of_caps_text(text), "") << text;
  }
}

TEST(CapsText, WhatGStreamerWouldTakeForAProgrammersFaultIsNot) {
  for (const char* text : {"",
                           "1abc",
                           "\"a b\", x=1",
                           "a/b; 1x",
                           "\xc3\xa9",
                           "a/b(1)",
                           "a/b(:)",
                           "a/b(a:b:c)",
                           "a/b(a b)",
                           "a/b(memory:x",
                           "a/b, x=(GstStructure)[1x,y=1]",
                           "a/b, x=(structure)\"1x\"",
                           "a/b, x=( GstCaps )\"1x\"",
                           "a/b, x=(taglist)\"1x\"",
                           "a/b, x=(sample)\"a:b\"",
                           "a/b, x=<(caps)1x>",
                           "a/b, x=(buffer)zz",
                           "a/b, x=(buffer)abc",
                           "a/b, x=(buffer)",
                           "a/b, x=<(buffer)ab, (buffer)z>",
                           "a/b, x=(int"}) {
    EXPECT_NE(problem_of_caps_text(text), "") << text;
  }
}

}  // namespace
}  // namespace gkv
