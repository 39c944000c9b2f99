"""The entries of the catalogue. What could not be established is ``None`` or says so."""

from __future__ import annotations

from llmseg.data.catalog.dataset import Dataset, Licence, StudyUse

BAGLS = Dataset(
    id="bagls",
    title="BAGLS",
    aliases=("glottis",),
    modality="high-speed videolaryngoscopy",
    target="glottis",
    colour="rgb",
    cases=59250,
    sizes="120x256 to 512x512, most not square",
    masks="0 and 255, 8-bit grey; 3,964 are empty",
    groups="video (Video Id in the .meta files; 70 videos of 50 frames in test)",
    layout=(
        "training/0.png ... 55749.png with 0_seg.png and 0.meta",
        "test/0.png ... 3499.png with 0_seg.png and 0.meta",
        "raw/ (videos; passed over)",
    ),
    oddities=(
        "images and masks lie in one folder",
        "5 of 6 test frames are grey, stored as three equal channels",
        "targets are tiny: the median mask of the test part covers 0.43 % of its frame",
    ),
    licence=Licence(spdx="CC-BY-NC-SA-4.0", redistribution=True, commercial=False, registration=False),
    citation="Gomez et al., Scientific Data 7 (2020), doi 10.1038/s41597-020-0526-3",
    source="https://www.bagls.org, doi 10.5281/zenodo.3762320",
    study=StudyUse(
        cases=5002,
        take="cases",
        known=False,
        rule="5,002 frames of the official folders; which ones is not published, so they are drawn by seed",
    ),
)

BOLUS = Dataset(
    id="bolus",
    title="Bolus swallowing",
    aliases=("swallowing",),
    modality="videofluoroscopy",
    target="bolus",
    colour="grey",
    cases=5002,
    sizes="not published",
    masks="0 and 255, assumed",
    groups="",
    layout=("images/X.png", "masks/X.png (same name)"),
    oddities=("an internal collection; nothing but the naming and the number is known",),
    licence=Licence(spdx=None, redistribution=None, commercial=None, registration=None),
    citation="PubMed 40740828",
    source="not public",
    study=StudyUse(cases=5002, take="all", known=True, rule="all cases"),
)

BRAIN = Dataset(
    id="brain",
    title="Brain meningioma",
    aliases=("meningioma", "brain tumor", "brain tumour"),
    modality="contrast-enhanced T1 MRI",
    target="meningioma",
    colour="grey",
    cases=999,
    sizes="mixed",
    masks="grey values of JPEG: foreground above 127",
    groups="",
    layout=("image/2/Tr-me_0711.jpg", "mask/2/Tr-me_0711_m.jpg", "classes 0, 1 and 3 are passed over"),
    oddities=(
        "some images have no mask, some masks no image",
        "some masks differ in size from their image: they are brought to it by nearest neighbour",
        "some copies colour masks by tumour type: every colour is foreground",
        "slices of one patient are not marked",
    ),
    licence=Licence(spdx=None, redistribution=None, commercial=None, registration=True),
    citation="Akter et al., Expert Systems with Applications 238 (2024), doi 10.1016/j.eswa.2023.122347",
    source="https://www.kaggle.com/datasets/atikaakter11/brain-tumor-segmentation-dataset",
    study=StudyUse(cases=999, take="all", known=False, rule="999 pairs, believed to be all of class 2"),
)

HAM10000 = Dataset(
    id="ham10000",
    title="HAM10000",
    aliases=("skin", "isic", "skin cancer"),
    modality="dermoscopy",
    target="skin lesion",
    colour="rgb",
    cases=10015,
    sizes="600x450",
    masks="0 and 255, never empty; 402 are palette files in reverse order",
    groups="lesion (lesion_id in HAM10000_metadata)",
    layout=(
        "HAM10000_images_part_1/ISIC_0024306.jpg ...",
        "HAM10000_images_part_2/ISIC_0029306.jpg ...",
        "HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png ...",
        "HAM10000_metadata (csv or tab)",
    ),
    oddities=(
        "the palettes of 402 masks begin with white: read as numbers they are inverted",
        "two masks are all foreground (ISIC_0026042, ISIC_0029819)",
        "several images may show one lesion",
    ),
    licence=Licence(spdx="CC-BY-NC-4.0", redistribution=True, commercial=False, registration=False),
    citation=(
        "Tschandl et al., Scientific Data 5 (2018) 180161; masks: Tschandl et al., Nature Medicine 26 (2020), "
        "doi 10.1038/s41591-020-0942-0"
    ),
    source="doi 10.7910/DVN/DBW86T",
    study=StudyUse(
        cases=5002,
        take="first",
        known=True,
        rule="the first 5,002 images by number, ISIC_0024306 to ISIC_0029307, as the study's numbering suggests",
    ),
)

UMD = Dataset(
    id="umd",
    title="UMD uterine myoma",
    aliases=("myoma", "uterus", "uterine myoma"),
    modality="sagittal T2 MRI",
    target="uterine myoma (label 3)",
    colour="grey",
    cases=None,
    sizes="varies; 300 patients",
    masks="labels 0 background, 1 uterine wall, 2 cavity, 3 myoma, 4 nabothian cyst",
    groups="patient",
    layout=(
        "UMD_221129_001/UMD_221129_001_t2.nii.gz",
        "UMD_221129_001/UMD_221129_001_seg.nii.gz",
        "or the study's folder: imagesTr/case_0000_UMD_221129_001_t2_0000.nii.gz with",
        "labelsTr/case_0000_UMD_221129_001_t2.nii.gz",
    ),
    oddities=(
        "some label files are called _seq, one misspells its patient",
        "34 label files end in .gz and are not compressed; they give a wrong voxel size",
        "slices without myoma are kept",
        "the study's slices are turned against the usual display; --orientation display mends that",
    ),
    licence=Licence(spdx="CC-BY-4.0", redistribution=True, commercial=True, registration=False),
    citation="Pan et al., Scientific Data 11 (2024) 410, doi 10.1038/s41597-024-03170-x",
    source="doi 10.6084/m9.figshare.23541312",
    study=StudyUse(
        cases=5457,
        take="groups",
        groups=240,
        known=False,
        rule="5,457 slices of about 240 of the 300 patients; which ones is not published, so 240 are drawn by seed",
    ),
)

RETINA = Dataset(
    id="retina",
    title="Retinal vessels, combined",
    aliases=("retinal vessels", "retina combined"),
    modality="colour fundus photography",
    target="vessels",
    colour="rgb",
    cases=93,
    sizes="565x584 to 3504x2336",
    masks="0 and 255",
    groups="",
    layout=(
        "Training/images/04_h_HRF.jpg",
        "Training/masks/04_h_HRF.tif (same stem)",
        "Test/images, Test/masks",
        "Unlabeled_test/ (passed over)",
    ),
    oddities=("images and masks differ in extension", "folder names in upper or lower case"),
    licence=Licence(spdx=None, redistribution=None, commercial=None, registration=True),
    citation="those of HRF, DRIVE and CHASE_DB1, of which it is made",
    source="https://www.kaggle.com/datasets/pradosh123/retinal-vessel-segmentation-combined",
    study=StudyUse(cases=73, take="training", known=True, rule="the 73 pairs of the Training part"),
)

DRIVE = Dataset(
    id="drive",
    title="DRIVE",
    modality="colour fundus photography",
    target="vessels",
    colour="rgb",
    cases=20,
    sizes="565x584",
    masks="0 and 255, GIF",
    groups="",
    layout=(
        "training/images/21_training.tif",
        "training/1st_manual/21_manual1.gif",
        "training/mask/ (field of view; passed over)",
        "test/images/01_test.tif; labels of the test part only in older copies",
    ),
    oddities=("the folder called mask shows the field of view, not the vessels",),
    licence=Licence(spdx=None, redistribution=None, commercial=None, registration=True),
    citation="Staal et al., IEEE TMI 23 (2004), doi 10.1109/TMI.2004.825627",
    source="https://drive.grand-challenge.org",
)

STARE = Dataset(
    id="stare",
    title="STARE",
    modality="colour fundus photography",
    target="vessels",
    colour="rgb",
    cases=20,
    sizes="700x605",
    masks="0 and 255, PPM compressed by gzip",
    groups="",
    layout=(
        "stare-images.tar: im0001.ppm.gz",
        "labels-ah.tar: im0001.ah.ppm.gz (first observer)",
        "labels-vk.tar: im0001.vk.ppm.gz (second observer, taken where the first is missing)",
    ),
    licence=Licence(spdx=None, redistribution=None, commercial=None, registration=False),
    citation="Hoover et al., IEEE TMI 19 (2000), doi 10.1109/42.845178",
    source="https://cecas.clemson.edu/~ahoover/stare/",
)

CHASE_DB1 = Dataset(
    id="chase_db1",
    title="CHASE_DB1",
    aliases=("chase",),
    modality="colour fundus photography",
    target="vessels",
    colour="rgb",
    cases=28,
    sizes="999x960",
    masks="0 and 255",
    groups="child (14 children, two eyes each)",
    layout=(
        "Image_01L.jpg, Image_01R.jpg ... Image_14R.jpg",
        "Image_01L_1stHO.png (first observer)",
        "Image_01L_2ndHO.png (second observer, taken where the first is missing)",
    ),
    licence=Licence(spdx="CC-BY-4.0", redistribution=True, commercial=True, registration=False),
    citation="Fraz et al., IEEE TBME 59 (2012), doi 10.1109/TBME.2012.2205687",
    source="Kingston University research data, item 96",
)

HRF = Dataset(
    id="hrf",
    title="HRF",
    modality="colour fundus photography",
    target="vessels",
    colour="rgb",
    cases=45,
    sizes="3504x2336",
    masks="0 and 255",
    groups="",
    layout=(
        "images/01_dr.JPG, 01_g.jpg, 01_h.jpg ... 15_*",
        "manual1/01_dr.tif",
        "mask/01_dr_mask.tif (field of view; passed over)",
        "or archives by group: healthy.zip, healthy_manualsegm.zip ...",
    ),
    oddities=("extensions in upper and lower case",),
    licence=Licence(spdx="CC-BY-4.0", redistribution=True, commercial=True, registration=False),
    citation="Budai et al., International Journal of Biomedical Imaging (2013), doi 10.1155/2013/154860",
    source="https://www5.cs.fau.de/research/data/fundus-images/",
)

DATASETS = (BAGLS, BOLUS, BRAIN, HAM10000, UMD, RETINA, DRIVE, STARE, CHASE_DB1, HRF)
"""The study's six, then the parts of the combined retinal set."""
