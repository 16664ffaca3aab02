#include "fwd/metrics/textfile.h"

#include <utility>

#include "fwd/files.h"

namespace fwd::metrics {

Textfile::Textfile(std::string path, std::function<std::string()> text)
    : path_(std::move(path)), text_(std::move(text)), complaint_("metrics: " + path_) {}

void Textfile::write() {
  if (auto written = publish_file(path_, text_()); !written)
    return complaint_.trouble(written.error().message());
  complaint_.none();
}

}  // namespace fwd::metrics
