// Aligned columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/look.h"

namespace ctl {

enum class Align : std::uint8_t { Left, Right };

struct Column {
  std::string heading;
  Align align = Align::Left;
};

struct Cell {
  std::string text;
  Style style = Style::Plain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Their text may come from anywhere: it is made fit for one
  // line.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }

  // The headings, where there are any, and the rows, each with its line end. Columns without any
  // text are left out.
  std::string text(const Look& look) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace ctl
