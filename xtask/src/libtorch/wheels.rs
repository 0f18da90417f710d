//! The wheels that contain libtorch on each operating system and processor, and the parts of them
//! to keep.

/// A wheel to fetch, and what to keep of it.
pub struct Wheel {
    /// Requirement for pip: `name==version`.
    pub requirement: &'static str,
    /// Hash of the file, in hexadecimal.
    pub sha256: &'static str,
    /// The folder in it that becomes the prefix.
    pub root: &'static str,
    /// Files below `root`; folders end with "/".
    pub keep: &'static [&'static str],
}

/// Wheels for one operating system and processor.
pub struct Platform {
    /// Platform tags for pip, so that it takes these wheels whatever Python it runs in.
    pub tags: &'static [&'static str],
    pub wheels: &'static [Wheel],
}

/// The CPU part, on Linux.
pub const LINUX_X86_64: Platform = Platform {
    tags: &[
        "manylinux_2_28_x86_64",
        "manylinux_2_25_x86_64",
        "manylinux2014_x86_64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
            root: "torch/",
            keep: &[
                "include/",
                "lib/libtorch_cpu.so",
                "lib/libc10.so",
                "lib/libgomp.so.1",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            root: "nvidia/cu13/",
            keep: &["lib/libcudart.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            root: "nvidia/cu13/",
            keep: &["lib/libcupti.so.13"],
        },
    ],
};

/// Wheels for Linux x86_64 with the CUDA part and every library of NVIDIA's that libtorch_cuda
/// links.
pub const LINUX_X86_64_CUDA: Platform = Platform {
    tags: &[
        "manylinux_2_28_x86_64",
        "manylinux_2_27_x86_64",
        "manylinux_2_25_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux2014_x86_64",
        "manylinux2010_x86_64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
            root: "torch/",
            keep: &[
                "include/",
                "lib/libtorch_cpu.so",
                "lib/libtorch_cuda.so",
                "lib/libtorch_nvshmem.so",
                "lib/libc10.so",
                "lib/libc10_cuda.so",
                "lib/libcaffe2_nvrtc.so",
                "lib/libgomp.so.1",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cuda-nvrtc==13.0.88",
            sha256: "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cublas==13.1.1.3",
            sha256: "37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cufft==12.0.0.61",
            sha256: "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cufile==1.15.1.6",
            sha256: "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-curand==10.4.0.35",
            sha256: "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cusparse==12.6.3.3",
            sha256: "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-nvjitlink==13.5.37",
            sha256: "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
            root: "nvidia/cu13/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cudnn-cu13==9.20.0.48",
            sha256: "0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304",
            root: "nvidia/cudnn/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-cusparselt-cu13==0.8.1",
            sha256: "786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0",
            root: "nvidia/cusparselt/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-nccl-cu13==2.29.7",
            sha256: "edd81538446786ec3b73972543e53bb43bcaf0bfc8ef76cb679fcc390ffe136d",
            root: "nvidia/nccl/",
            keep: &["lib/"],
        },
        Wheel {
            requirement: "nvidia-nvshmem-cu13==3.4.5",
            sha256: "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
            root: "nvidia/nvshmem/",
            keep: &["lib/"],
        },
    ],
};

/// The CPU part, on Linux.
pub const LINUX_AARCH64: Platform = Platform {
    tags: &[
        "manylinux_2_28_aarch64",
        "manylinux_2_25_aarch64",
        "manylinux2014_aarch64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            sha256: "092790c696a760c729fd5722835f50b9d81fd7c8f141571f3f3cf4081a8f664c",
            root: "torch/",
            keep: &[
                "include/",
                "lib/libtorch_cpu.so",
                "lib/libc10.so",
                "lib/libgomp.so.1",
                "lib/libarm_compute.so",
                "lib/libarm_compute_graph.so",
                "lib/libnvpl_blas_core.so.0",
                "lib/libnvpl_blas_lp64_gomp.so.0",
                "lib/libnvpl_lapack_core.so.0",
                "lib/libnvpl_lapack_lp64_gomp.so.0",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            sha256: "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            root: "nvidia/cu13/",
            keep: &["lib/libcudart.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            sha256: "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            root: "nvidia/cu13/",
            keep: &["lib/libcupti.so.13"],
        },
    ],
};

/// Wheels for macOS on Apple silicon.
pub const MACOS_AARCH64: Platform = Platform {
    tags: &["macosx_14_0_arm64"],
    wheels: &[Wheel {
        requirement: "torch==2.13.0",
        sha256: "e76f9bcecc52b8ff711239a2f7547d5353df95878ab232f0773c1d95928b92f8",
        root: "torch/",
        keep: &[
            "include/",
            "lib/libtorch.dylib",
            "lib/libtorch_cpu.dylib",
            "lib/libc10.dylib",
            "lib/libomp.dylib",
        ],
    }],
};

/// Wheels for Windows on x86_64.
pub const WINDOWS_X86_64: Platform = Platform {
    tags: &["win_amd64"],
    wheels: &[Wheel {
        requirement: "torch==2.13.0",
        sha256: "a0d8b11f16a48d60e2015d8213aa0390744cbebb98e58b62b3514dddc656e330",
        root: "torch/",
        keep: &[
            "include/",
            "lib/torch.dll",
            "lib/torch.lib",
            "lib/torch_cpu.dll",
            "lib/torch_cpu.lib",
            "lib/c10.dll",
            "lib/c10.lib",
            "lib/libiomp5md.dll",
            "lib/uv.dll",
        ],
    }],
};
