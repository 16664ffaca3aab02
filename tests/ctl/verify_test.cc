#include "ctl/verify.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <catch2/catch.hpp>
#include <zlib.h>

#include "ctl/api/audit_ledger.h"
#include "ctl/fwctl.h"

using namespace ctl;

namespace {

// A log of verdicts, in a folder of its own.
class Log {
 public:
  Log() : folder_(std::filesystem::temp_directory_path() / "fwd-verify-XXXXXX") {
    std::string name = folder_;
    folder_ = mkdtemp(name.data());
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { std::filesystem::remove_all(folder_); }

  static std::string sealed(std::string line, api::ChainEnd& end, const std::string& fwd = {}) {
    line += ",\"sequence\":" + std::to_string(++end.sequence) + "},\"fwd\":{" + fwd + "}}\n";
    end.hash = api::seal(line, 0, end.hash);
    return line;
  }
  static std::string verdict(api::ChainEnd& end, const std::string& fwd = "\"ttl\":52") {
    return sealed(R"({"event":{"dataset":"fwd.verdict")", end, fwd);
  }
  std::vector<std::string> verdicts(int count) {
    std::vector<std::string> lines;
    while (count-- > 0) lines.push_back(verdict(end));
    return lines;
  }

  std::string write(const std::string& name, const std::vector<std::string>& lines) const {
    std::ofstream stream(folder_ / name, std::ios::binary);
    for (const std::string& line : lines) stream << line;
    return folder_ / name;
  }
  void write_ledger(const std::string& file, const api::ChainEnd& known, bool ended = true) const {
    auto ledger = std::make_unique<api::ledger::File>();
    ledger->magic = api::ledger::kMagic;
    ledger->size = sizeof *ledger;
    std::copy(file.begin(), file.end(), ledger->path.begin());
    auto& progress = ledger->lives[0].progress[0];
    progress.sequence = known.sequence;
    progress.hash = known.hash;
    progress.ended = ended ? 1 : 0;
    std::ofstream(folder_ / "audit.ledger", std::ios::binary)
        .write(reinterpret_cast<const char*>(ledger.get()), sizeof *ledger);
  }
  std::string folder() const { return folder_; }
  api::AuditVerified verify(const std::vector<std::string>& files) const {
    auto verified = verify_logs(files, folder_);
    REQUIRE(verified);
    return *verified;
  }
  // "FILE:LINE: WHAT" of each finding, without the folder.
  std::vector<std::string> findings(const std::vector<std::string>& files) const {
    std::vector<std::string> texts;
    for (const auto& finding : verify(files).findings) {
      std::string text = finding.file + ':' + std::to_string(finding.line) + ": " + finding.what;
      for (auto at = text.find(folder()); at != std::string::npos; at = text.find(folder()))
        text.erase(at, folder().size() + 1);
      texts.push_back(text);
    }
    return texts;
  }

  api::ChainEnd end;

 private:
  std::filesystem::path folder_;
};

using Findings = std::vector<std::string>;

}  // namespace

TEST_CASE("a log as it was written is intact, whatever the order of its files") {
  Log log;
  const auto a = log.write("a", log.verdicts(3));
  const auto b = log.write("b", log.verdicts(2));
  const auto c = log.write("c", log.verdicts(4));
  const auto verified = log.verify({b, c, a});
  CHECK(verified.intact);
  CHECK(verified.lines == 9);
  CHECK(verified.files == 3);
  CHECK(verified.first == 1);
  CHECK(verified.last == 9);
  CHECK(verified.hash == api::text(log.end.hash));
  CHECK(verified.counts.written == 9);
  CHECK(verified.notes == Findings{"whether lines are missing at the end wasn't looked at"});
}

TEST_CASE("every byte of a line counts") {
  Log log;
  const auto lines = log.verdicts(3);
  for (std::size_t at = 0; at < lines[1].size(); ++at) {
    auto changed = lines;
    changed[1][at] = changed[1][at] == 'x' ? 'y' : 'x';
    const auto verified = log.verify({log.write("a", changed)});
    INFO(at);
    CHECK_FALSE(verified.intact);
    CHECK(verified.findings.at(0).line == 2);
  }
}

TEST_CASE("an edited line is named, and no other") {
  Log log;
  auto lines = log.verdicts(3);
  lines[1].replace(lines[1].find("52"), 2, "53");
  CHECK(log.findings({log.write("a", lines)}) ==
        Findings{"a:2: the line was changed: its hash is not that of its bytes"});
}

TEST_CASE("a line that was changed with its hash doesn't fit the next one") {
  Log log;
  auto lines = log.verdicts(3);
  api::ChainEnd other{1, api::seal_of(lines[0])->hash};
  lines[1] = Log::verdict(other, "\"ttl\":53");
  CHECK(log.findings({log.write("a", lines)}) ==
        Findings{"a:3: the line doesn't follow a:2: one of them was changed or put in"});
}

TEST_CASE("removed, swapped and inserted lines are found") {
  Log log;
  const auto lines = log.verdicts(6);
  auto removed = lines;
  removed.erase(removed.begin() + 2);
  CHECK(log.findings({log.write("a", removed)}) ==
        Findings{"a:3: line 3 is missing between a:2 and here"});
  auto swapped = lines;
  std::swap(swapped[2], swapped[3]);
  CHECK(log.findings({log.write("a", swapped)}) ==
        Findings{"a:3: line 3 is missing between a:2 and here",
                 "a:4: line 3 comes after line 4: it was moved, or put in",
                 "a:5: line 4 is missing between a:4 and here"});
  auto inserted = lines;
  inserted.insert(inserted.begin() + 2, lines[0]);
  CHECK(log.findings({log.write("a", inserted)}).at(0) ==
        "a:3: line 1 comes after line 2: it was moved, or put in");
  inserted[2] = "{\"hello\":1}\n";
  CHECK(log.findings({log.write("a", inserted)}) == Findings{"a:3: this is no record of fwd's"});
}

TEST_CASE("a missing file is found where its lines should be") {
  Log log;
  const auto a = log.write("a", log.verdicts(3));
  log.verdicts(4);
  const auto c = log.write("c", log.verdicts(2));
  CHECK(log.findings({c, a}) == Findings{"c:1: lines 4 to 7 are missing between a:3 and here"});
  CHECK(log.verify({c}).notes.back() == "the log begins with line 8");
}

TEST_CASE("a truncated end shows where the state directory is known") {
  Log log;
  auto lines = log.verdicts(5);
  const auto whole = log.write("a", lines);
  log.write_ledger(whole, log.end);
  CHECK(log.verify({whole}).intact);
  CHECK(log.verify({whole}).notes.empty());
  lines.resize(3);
  CHECK(log.findings({log.write("a", lines)}) ==
        Findings{"a:3: the log ends here, but fwd has written more: lines 4 to 5 are missing"});
  // A copy elsewhere may end where it likes.
  CHECK(log.findings({log.write("b", lines)}).empty());
  lines[2].pop_back();
  CHECK(log.findings({log.write("a", lines)}).at(0) == "a:3: the line is incomplete");
}

TEST_CASE("a chain that was made anew, and lines put in at the end, show as well") {
  Log log;
  const auto whole = log.write("a", log.verdicts(2));
  log.write_ledger(whole, log.end);
  api::ChainEnd forged;
  std::vector<std::string> lines{Log::verdict(forged, "\"ttl\":1"), Log::verdict(forged)};
  CHECK(log.findings({log.write("a", lines)}) ==
        Findings{"a:2: line 2 is not the one that fwd has written: the chain was made anew"});
  lines = log.verdicts(1);
  log.write_ledger(whole, {2, log.end.hash});
  Log more;
  auto all = more.verdicts(3);
  log.write_ledger(log.write("a", all), {2, api::seal_of(all[1])->hash});
  CHECK(log.findings({whole}) ==
        Findings{"a:3: 1 line comes after the last one that fwd has written"});
}

TEST_CASE("folds and gaps are counted, and checkpoints are compared with the lines") {
  Log log;
  const auto checkpoint = [&log](int written, int folded, int lost) {
    return Log::sealed(R"({"event":{"dataset":"fwd.health")", log.end,
                       R"("checkpoint":{"decided":0,"written":)" + std::to_string(written) +
                           ",\"folded\":" + std::to_string(folded) +
                           ",\"lost\":" + std::to_string(lost) + ",\"waiting\":0}");
  };
  std::vector<std::string> lines{checkpoint(100, 0, 7)};
  lines.push_back(Log::verdict(log.end));
  lines.push_back(Log::verdict(log.end, "\"packets\":30"));
  lines.push_back(Log::sealed(R"({"event":{"dataset":"fwd.audit_gap")", log.end, "\"count\":5"));
  lines.push_back(checkpoint(101, 30, 12));
  const auto verified = log.verify({log.write("a", lines)});
  CHECK(verified.intact);
  CHECK(verified.counts.decided == 36);
  CHECK(verified.counts.folded == 30);
  CHECK(verified.counts.lost == 5);
  lines.push_back(checkpoint(102, 30, 12));
  CHECK(log.findings({log.write("a", lines)}) ==
        Findings{"a:6: the checkpoint counts other decisions than the lines before it: 102 "
                 "written, 30 folded, 12 lost"});
}

TEST_CASE("compressed files are read as they are, and longer ones than the buffer") {
  Log log;
  const auto lines = log.verdicts(3000);
  const auto path = log.folder() + "/a.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  for (const std::string& line : lines)
    gzwrite(file, line.data(), static_cast<unsigned>(line.size()));
  gzclose(file);
  const auto verified = log.verify({path});
  CHECK(verified.intact);
  CHECK(verified.lines == 3000);
}

TEST_CASE("audit verify needs no daemon and says it by its exit status") {
  Log log;
  auto lines = log.verdicts(3);
  const auto path = log.write("a", lines);
  const auto run_words = [&](std::vector<std::string> words) {
    const Parts parts{{}, [](const std::string&) { return Exchange(); }, {}};
    words.insert(words.end(), {"--state", log.folder()});
    return run(words, "/none", parts);
  };
  const auto good = run_words({"audit", "verify", path});
  CHECK(good.status == 0);
  CHECK(
      good.text.starts_with("Intact: 3 lines in 1 file, sequences 1 to 3\n"
                            "They tell of 3 decisions = 3 written + 0 folded + 0 lost\n"));
  lines.erase(lines.begin());
  lines.erase(lines.begin());
  lines.push_back("{}\n");
  log.write("a", lines);
  const auto bad = run_words({"audit", "verify", path});
  CHECK(bad.status == 1);
  CHECK(bad.text.starts_with(path + ":2: this is no record of fwd's\nNot intact: "));
  CHECK(run_words({"audit", "verify", path, "--json"}).text.starts_with("{\"intact\":false,"));
  CHECK(run_words({"audit", "verify", "/none/such"}).notes ==
        "fwctl: can't read /none/such: No such file or directory\n");
  CHECK(run_words({"audit", "verify", "/none/such"}).status == 1);
  CHECK(run_words({"audit", "verify"}).status == 2);
  CHECK(run_words({"audit"}).status == 2);
}
