// Debian's Boost 1.81 is headers only; its bodies are compiled here, once.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
