// In the place of libFuzzer: runs a target once with every file of the directories that it is
// given.
#include <dirent.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
extern "C" [[gnu::weak]] int LLVMFuzzerInitialize(int* argc, char*** argv);

int main(int argc, char** argv) {
  // Without arguments nothing is to be written.
  int none = 1;
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&none, &argv);
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    DIR* const directory = ::opendir(argv[i]);
    while (const dirent* const entry = directory != nullptr ? ::readdir(directory) : nullptr) {
      if (entry->d_type == DT_DIR) continue;
      const std::string path = std::string(argv[i]) + "/" + entry->d_name;
      std::ifstream file(path, std::ios::binary);
      const std::string input(std::istreambuf_iterator<char>{file}, {});
      std::fprintf(stderr, "%s\n", path.c_str());
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
      ++count;
    }
    if (directory != nullptr) ::closedir(directory);
  }
  // Nothing done is nothing shown.
  return count > 0 ? 0 : 1;
}
