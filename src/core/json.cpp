// As boost.cpp, apart from it so that programs without a network link only this.
#include <boost/json/src.hpp>
