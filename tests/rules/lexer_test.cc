#include "rules/lexer.h"

#include <string>

#include <catch2/catch.hpp>

#include "rules/text.h"

using namespace rules;

namespace {

std::string dump(std::string text) {
  const Source source{"t", std::move(text)};
  Lexer lexer(source);
  std::string result;
  for (Token token = lexer.next();; token = lexer.next()) {
    switch (token.kind) {
      case TokenKind::String:
        result += "<" + std::string(token.text) + ">";
        break;
      case TokenKind::EndOfLine:
        result += ";";
        break;
      case TokenKind::EndOfText:
        return result;
      case TokenKind::Unterminated:
        result += "?";
        break;
      case TokenKind::Word:
      case TokenKind::Comma:
      case TokenKind::Equals:
      case TokenKind::OpenBrace:
      case TokenKind::CloseBrace:
        result += std::string(token.text);
    }
    result += " ";
  }
}

std::string fault(std::string text) {
  const auto found = check_text({"t", std::move(text)});
  return found ? std::to_string(found->where.line) + ":" + std::to_string(found->where.column) +
                     " " + found->message
               : "";
}

}  // namespace

TEST_CASE("a text falls into words, strings and punctuation") {
  CHECK(dump("allow 80,443/tcp") == "allow 80 , 443/tcp ");
  CHECK(dump("set a={10.0.0.1,2001:db8::/32}") == "set a = { 10.0.0.1 , 2001:db8::/32 } ");
  CHECK(dump("a\r\nb\n") == "a ; b ; ");
  CHECK(dump("comment \"a b\" 'c \"d\"'") == "comment <a b> <c \"d\"> ");
  CHECK(dump("").empty());
}

TEST_CASE("hash and quote mean something only where a word starts") {
  CHECK(dump("a # b\nc") == "a ; c ");
  CHECK(dump("a#b it's") == "a#b it's ");
  CHECK(dump("\"a # b\"") == "<a # b> ");
}

TEST_CASE("a string ends on its line") {
  CHECK(dump("\"a\nb\"") == "? ; b\" ");
  CHECK(dump("'a\r\nb") == "? ; b ");
  CHECK(dump("\"a\\\"") == "? ");
  CHECK(dump("\"") == "? ");
}

TEST_CASE("quoting and unescaping are each other's inverse") {
  for (const std::string text :
       {"", "plain", "say \"hi\"", "back\\slash", "\\\"", "it's", "\\\\"}) {
    const std::string quoted = quote(text);
    const Source source{"t", quoted};
    const Token token = Lexer(source).next();
    CHECK(token.kind == TokenKind::String);
    CHECK(unescape(token.text) == text);
  }
  CHECK(unescape("C:\\temp") == "C:\\temp");
}

TEST_CASE("arguments are quoted only where the lexer would take them apart") {
  CHECK(quote_argument("80/tcp") == "80/tcp");
  CHECK(quote_argument("two words") == "\"two words\"");
  CHECK(quote_argument("") == "\"\"");
  CHECK(quote_argument("#1") == "\"#1\"");
  CHECK(quote_argument("'x'") == "\"'x'\"");
}

TEST_CASE("tokens know where they stand") {
  const Source source{"t", "a\n  bc \"d\""};
  Lexer lexer(source);
  lexer.next();
  lexer.next();
  const Token word = lexer.next();
  CHECK(word.where.line == 2);
  CHECK(word.where.column == 3);
  CHECK(word.where.length == 2);
  CHECK(word.where.offset == 4);
  const Location string = locate(lexer.next().where);
  CHECK(string.column == 6);
  CHECK(string.length == 3);
  CHECK(string.source_line == "  bc \"d\"");
}

TEST_CASE("a text must be visible UTF-8 with lines of bearable length") {
  CHECK(fault("allow 80\r\nallow 81 # \xe2\x82\xac\n").empty());
  CHECK(fault(std::string("a\nb\0c", 5)) == "2:2 character U+0000 can't be seen and isn't allowed");
  CHECK(fault("a\x1b[0m") == "1:2 character U+001B can't be seen and isn't allowed");
  CHECK(fault("a\rb\n") == "1:2 character U+000D can't be seen and isn't allowed");
  CHECK(fault("a\r") == "1:2 character U+000D can't be seen and isn't allowed");
  CHECK(fault("\xef\xbb\xbf"
              "a") == "1:1 the file starts with a byte order mark");
  CHECK(fault("a\n\xef\xbb\xbf") == "2:1 character U+FEFF can't be seen and isn't allowed");
  CHECK(fault("a \xe2\x80\xae b") == "1:3 character U+202E can't be seen and isn't allowed");
  CHECK(fault("\xc2\x9b") == "1:1 character U+009B can't be seen and isn't allowed");
  CHECK(fault("\xff") == "1:1 byte 0xff isn't UTF-8");
  CHECK(fault("\xc0\xaf") == "1:1 byte 0xc0 isn't UTF-8");          // longer than needed
  CHECK(fault("\xed\xa0\x80") == "1:1 byte 0xed isn't UTF-8");      // a surrogate
  CHECK(fault("\xf4\x90\x80\x80") == "1:1 byte 0xf4 isn't UTF-8");  // beyond U+10FFFF
  CHECK(fault("ab\xe2\x82") == "1:3 byte 0xe2 isn't UTF-8");        // cut short
  CHECK(fault(std::string(kMaxLine, 'a')).empty());
  CHECK(fault(std::string(kMaxLine + 1, 'a')) == "1:65537 the line has more than 65536 bytes");
  CHECK(fault(std::string(kMaxText + 1, '\n')) == "0:0 the text has more than 16 MB");
  const std::string first = "x\n";
  CHECK(fault(first + std::string(kMaxLine, 'a') + "\n").empty());
  CHECK(fault(first + std::string(kMaxLine, 'a') + "\r\n" + first).empty());
  CHECK(fault(first + std::string(kMaxLine + 1, 'a') + "\n") ==
        "2:65537 the line has more than 65536 bytes");
  CHECK(fault(first + std::string(kMaxLine + 1, 'a') + "\r\n") ==
        "2:65537 the line has more than 65536 bytes");
  CHECK(fault(first + first + "a\tb\x7f\n") ==
        "3:4 character U+007F can't be seen and isn't allowed");
}
