#include "fwd/settings.h"

#include <cstdlib>

#include <catch2/catch.hpp>

namespace {

std::string error_of(std::string_view text) {
  const auto settings = fwd::parse_settings(text, "fwd.toml");
  return settings ? "" : settings.error().message();
}

TEST_CASE("every setting is read") {
  const auto settings = fwd::parse_settings(R"(
queues = "2:5"
queue_length = 1000
ct_mark_mask = 0x00ff0000
nflog_group = 7
lease_ms = 600
shed_above = 20
log_level = "warning"
[audit]
fold_above = 50
format = "eve"
journal = "/run/systemd/journal/socket"
syslog = "/dev/log"
syslog_facility = "local3"
full_disk = "block"
keep = 5
ring_records = 128
rotate_size = 1000000
[control]
admin_group = "wheel"
read_group = "adm"
[metrics]
listen = "[::1]:9472"
textfile = "/run/fwd/fwd.prom"
textfile_seconds = 5
)",
                                            "fwd.toml");
  REQUIRE(settings);
  CHECK(settings->queues.first == 2);
  CHECK(settings->queues.last == 5);
  CHECK(settings->queue_length == 1000);
  CHECK(settings->ct_mark.mask == 0x00ff0000);
  CHECK(settings->nflog_group == 7);
  CHECK(settings->lease == std::chrono::milliseconds(600));
  CHECK(settings->shed_above == 20);
  CHECK(settings->log_level == fwd::LogLevel::Warning);
  CHECK(settings->audit.fold_above == 50);
  CHECK(settings->audit.format == fwd::audit::Format::Eve);
  CHECK(settings->audit.journal == "/run/systemd/journal/socket");
  CHECK(settings->audit.syslog == "/dev/log");
  CHECK(settings->audit.syslog_facility == 19);
  CHECK(settings->audit.block_when_full);
  CHECK(settings->audit.keep == 5);
  CHECK(settings->audit.ring_records == 128);
  CHECK(settings->audit.rotate_size == 1'000'000);
  CHECK(settings->control.admin_group == "wheel");
  CHECK(settings->control.read_group == "adm");
  CHECK(settings->metrics.listen->port == 9472);
  CHECK(settings->metrics.textfile == "/run/fwd/fwd.prom");
  CHECK(settings->metrics.textfile_interval == std::chrono::seconds(5));
}

TEST_CASE("an absent file is all defaults") {
  const auto settings = fwd::read_settings("/nonexistent/fwd.toml");
  REQUIRE(settings);
  CHECK(settings->lease == std::chrono::milliseconds(3000));
  CHECK(settings->queues.first == 0);
  CHECK(settings->ct_mark.mask == 0xff000000);
  CHECK(settings->control.admin_group == "fwd-admin");
  CHECK_FALSE(settings->metrics.listen);
  CHECK(settings->metrics.textfile.empty());
}

TEST_CASE("a file that can't be read is an error and not all defaults") {
  const auto settings = fwd::read_settings("/proc/self");
  REQUIRE_FALSE(settings);
  CHECK(settings.error().message() == "/proc/self is not a regular file");
}

TEST_CASE("settings errors name file, line and what is allowed") {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"queue_length = \"many\"",
       "fwd.toml:1: \"queue_length\" must be a number from 64 to 1048576"},
      {"queue_length = 63", "fwd.toml:1: \"queue_length\" must be a number from 64 to 1048576"},
      {"queue_length = 4096.0", "fwd.toml:1: \"queue_length\" must be a number from 64 to 1048576"},
      {"\n\nqueues = \"3:1\"",
       "fwd.toml:3: \"queues\" must be \"FIRST:LAST\", at most 64 queues, such as \"0:3\""},
      {"queues = 1",
       "fwd.toml:1: \"queues\" must be \"FIRST:LAST\", at most 64 queues, such as \"0:3\""},
      {"ct_mark_mask = 0xff", ""},
      {"ct_mark_mask = 0x1fe00000", ""},
      {"ct_mark_mask = 0x1ff",
       "fwd.toml:1: \"ct_mark_mask\" must be a number with exactly eight adjacent bits set, such "
       "as 0xff000000"},
      {"ct_mark_mask = 0",
       "fwd.toml:1: \"ct_mark_mask\" must be a number with exactly eight adjacent bits set, such "
       "as 0xff000000"},
      {"nflog_group = 0", "fwd.toml:1: \"nflog_group\" must be a number from 1 to 65535"},
      {"lease_ms = 299", "fwd.toml:1: \"lease_ms\" must be a number from 300 to 60000"},
      {"log_level = \"loud\"",
       "fwd.toml:1: \"log_level\" must be \"debug\", \"info\", \"warning\" or \"error\""},
      {"[audit]\nring_records = 100",
       "fwd.toml:2: \"audit.ring_records\" must be a power of two from 64 to 1048576"},
      {"[audit]\nformat = \"json\"", "fwd.toml:2: \"audit.format\" must be \"ecs\" or \"eve\""},
      {"[audit]\njournal = true",
       "fwd.toml:2: \"audit.journal\" must be the absolute path of a socket, of at most 107 "
       "characters, or \"\""},
      {"[audit]\nsyslog = \"log\"",
       "fwd.toml:2: \"audit.syslog\" must be the absolute path of a socket, of at most 107 "
       "characters, or \"\""},
      {"[audit]\nsyslog_facility = \"kern\"",
       "fwd.toml:2: \"audit.syslog_facility\" must be \"auth\", \"authpriv\", \"daemon\", "
       "\"user\" or \"local0\" to \"local7\""},
      {"[audit]\nfold_above = -1",
       "fwd.toml:2: \"audit.fold_above\" must be a number from 0 to 1000000"},
      {"[audit]\nfull_disk = \"stop\"",
       "fwd.toml:2: \"audit.full_disk\" must be \"continue\" or \"block\""},
      {"audit = 3", "fwd.toml:1: \"audit\" must be a section: [audit]"},
      {"[control]\nadmin_group = \"\"",
       "fwd.toml:2: \"control.admin_group\" must be the name of a group"},
      {"[audit]\nflows = \"yes\"", "fwd.toml:2: \"audit.flows\" must be true or false"},
      {"[metrics]\nlisten = \"192.0.2.1:9472\"",
       "fwd.toml:2: \"metrics.listen\" must be a loopback address with a port, such as "
       "\"127.0.0.1:9472\" or \"[::1]:9472\""},
      {"[metrics]\nlisten = 9472",
       "fwd.toml:2: \"metrics.listen\" must be a loopback address with a port, such as "
       "\"127.0.0.1:9472\" or \"[::1]:9472\""},
      {"[metrics]\ntextfile = \"fwd.prom\"",
       "fwd.toml:2: \"metrics.textfile\" must be an absolute path that ends in .prom"},
      {"[metrics]\ntextfile = \"/tmp/fwd.txt\"",
       "fwd.toml:2: \"metrics.textfile\" must be an absolute path that ends in .prom"},
      {"[metrics]\ntextfile_seconds = 0",
       "fwd.toml:2: \"metrics.textfile_seconds\" must be a number from 1 to 3600"},
      {"[control]\nadmin = \"wheel\"",
       "fwd.toml:2: unknown key \"control.admin\" (known: audit.flows, audit.fold_above, "
       "audit.format, audit.full_disk, audit.journal, audit.keep, audit.ring_records, "
       "audit.rotate_size, audit.syslog, audit.syslog_facility, control.admin_group, "
       "control.read_group, "
       "ct_mark_mask, lease_ms, log_level, metrics.listen, metrics.textfile, "
       "metrics.textfile_seconds, nflog_group, queue_length, queues, "
       "shed_above)"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(error_of(c.text) == c.error);
  }
}

TEST_CASE("text that isn't TOML is an error with its line") {
  CHECK(error_of("queue_length = 100\nqueues =\n").starts_with("fwd.toml:2: "));
}

TEST_CASE("queue ranges are one number or two") {
  CHECK(fwd::parse_queues("0:1")->count() == 2);
  CHECK(fwd::parse_queues("7")->count() == 1);
  CHECK(fwd::parse_queues("0:63")->count() == 64);
  for (const char* bad :
       {"", ":", "0:", ":1", "2:1", "0:64", "0:1:2", "-1", "0-1", " 0", "65536", "0:1 "}) {
    INFO(bad);
    CHECK_FALSE(fwd::parse_queues(bad));
  }
}

}  // namespace
