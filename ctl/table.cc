#include "ctl/table.h"

#include <algorithm>

namespace ctl {
namespace {

constexpr std::size_t kGap = 2;

// In characters: everything but UTF-8's continuation bytes counts.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Blanks are kept outside of the colour, and written before the next text only: no line ends in
// blanks.
class Line {
 public:
  explicit Line(const Look& look) : look_(look) {}

  void add(const Cell& cell, Align align, std::size_t column_width) {
    const std::size_t fill = column_width - width(cell.text);
    if (align == Align::Right) pending_ += fill;
    if (!cell.text.empty()) {
      text_ += std::string(pending_, ' ') + look_.paint(cell.style, cell.text);
      pending_ = 0;
    }
    pending_ += kGap + (align == Align::Left ? fill : 0);
  }

  std::string text() const { return text_ + '\n'; }

 private:
  const Look& look_;
  std::string text_;
  std::size_t pending_ = 0;
};

}  // namespace

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = one_line(cell.text);
  rows_.push_back(std::move(row));
}

std::string Table::text(const Look& look) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i].text));
  }
  bool headed = false;
  Line heading(look);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], width(columns_[i].heading));
    headed = headed || !columns_[i].heading.empty();
    heading.add({columns_[i].heading, Style::Bold}, columns_[i].align, widths[i]);
  }
  std::string text = headed ? heading.text() : std::string();
  for (const auto& row : rows_) {
    Line line(look);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] > 0) line.add(row[i], columns_[i].align, widths[i]);
    }
    text += line.text();
  }
  return text;
}

}  // namespace ctl
